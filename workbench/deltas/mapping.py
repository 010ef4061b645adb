"""``[deltas.NAME]``: which events of a log are proposals and decisions, and where in them each thing stands."""

import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path as File
from typing import Any, Final, Literal

import msgspec

from workbench.decode.canonical import encode_sorted
from workbench.errors import DeltaMappingError, ProjectionError
from workbench.replay.folding.paths import TIMES, Path, read_path
from workbench.replay.sql.expressions import is_quotable

Pair = Literal["names", "next"]
Decided = Literal["accepted", "edited", "rejected"]
DECIDED: Final[tuple[Decided, ...]] = ("accepted", "edited", "rejected")
_Written = str | tuple[str, ...]
_Made = str | dict[str, _Written] | tuple[_Written, ...]
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_FIRST: Final = "first."
_TEXTS: Final = ("model", "version", "confidence", "rationale", "context", "hovered")


class Content(msgspec.Struct, frozen=True):
    """What stands at one path of a payload, or an object of what stands at several, by name."""

    paths: tuple[tuple[str, Path], ...]
    is_object: bool = False


class Alternatives(msgspec.Struct, frozen=True, kw_only=True):
    """The list of what was proposed at once; members within an item; ``taken``, an index that the decision names."""

    items: Path
    content: tuple[str, ...] = ()
    confidence: tuple[str, ...] | None = None
    taken: Path | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The event right after a decision that puts the text in, and where its Quill delta stands."""

    events: tuple[str, ...]
    delta: Path
    actor_kind: str | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The events that a document's text comes of: their deltas, and with which text it starts."""

    events: tuple[str, ...]
    delta: Path
    start: Path | None = None


class Further(msgspec.Struct, frozen=True):
    """A further column: a path in the proposal, or in the first event of its stream."""

    path: Path
    of_first: bool = False


class DeltaMapping(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One kind of proposal; times in seconds. docs/deltas.md says what each part means."""

    name: str
    proposed: tuple[str, ...]
    accepted: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()
    pair: Pair = "names"
    names: Path = Path("causation_id")
    id: Path = Path("event_id")
    content: Content | None = None
    value: Content | None = None
    model: Path | None = None
    version: Path | None = None
    confidence: Path | None = None
    rationale: Path | None = None
    context: Path | None = None
    reason: tuple[Path, ...] = ()
    hovered: Path | None = None
    hovers: tuple[str, ...] = ()
    person: Path = Path("actor_id")
    proposer: str | None = None
    alternatives: Alternatives | None = None
    applied: Applied | None = None
    text: Document | None = None
    tokenised: bool = False
    superseded: bool = True
    edited_within: float | None = None
    expires_after: float | None = None
    fields: Mapping[str, Further] = {}

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of the declaration: it changes whenever an answer may."""
        return sha256(encode_sorted(msgspec.to_builtins(self))).hexdigest()

    def types(self, role: str) -> tuple[str, ...]:
        """Return the event types of a role: proposed, accepted, edited, rejected, requested or applied."""
        if role == "applied":
            return () if self.applied is None else self.applied.events
        named: tuple[str, ...] = getattr(self, role)
        return named


class _Alternatives(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"items": "list"}):
    items: _Written
    content: str | None = None
    confidence: str | None = None
    taken: _Written | None = None


class _Applied(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    events: tuple[str, ...]
    delta: _Written
    actor_kind: Literal["human", "ai", "system"] | None = None


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    events: tuple[str, ...]
    delta: _Written
    start: _Written | None = None


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    proposed: tuple[str, ...]
    accepted: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()
    pair: Pair = "names"
    names: _Written | None = None
    id: _Written | None = None
    content: _Made | None = None
    value: _Made | None = None
    model: _Written | None = None
    version: _Written | None = None
    confidence: _Written | None = None
    rationale: _Written | None = None
    context: _Written | None = None
    reason: str | tuple[_Written, ...] = ()
    hovered: _Written | None = None
    hovers: tuple[str, ...] = ()
    person: _Written | None = None
    proposer: Literal["human", "ai", "system"] | None = None
    alternatives: _Alternatives | None = None
    applied: _Applied | None = None
    text: _Document | None = None
    tokenised: bool = False
    superseded: bool | None = None
    edited_within: float | None = None
    expires_after: float | None = None
    fields: dict[str, _Written] = {}


def load_mappings(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, DeltaMapping]:
    """Return the mappings that tables declare, by name. Raises DeltaMappingError naming the mapping at fault."""
    return {name: make_mapping(name, table) for name, table in tables.items()}


def hash_mappings(mappings: Mapping[str, DeltaMapping]) -> str:
    """Return the SHA-256 of several declarations, whatever their order."""
    return sha256(encode_sorted([[name, mappings[name].hash] for name in sorted(mappings)])).hexdigest()


def load_mapping(file: str | File) -> DeltaMapping:
    """Return the mapping that a TOML file declares; its name is the file's. Raises DeltaMappingError."""
    file = File(file)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DeltaMappingError(f"{file} cannot be read as TOML: {error}. Mend what is named.") from error
    return make_mapping(file.stem, table)


def make_mapping(name: str, table: Mapping[str, Any]) -> DeltaMapping:
    """Return the mapping that a table declares. Raises DeltaMappingError naming the value at fault.

    >>> letters = make_mapping("letter", {"proposed": ["LetterProposed"], "accepted": ["LetterAccepted"],
    ...     "names": "data.proposal", "content": "data.text", "model": "data.model"})
    >>> str(letters.names), str(letters.id), letters.pair
    ('data.proposal', 'event_id', 'names')
    """
    if not _NAME.fullmatch(name):
        raise DeltaMappingError(f"{name!r} is no name of a kind of proposal. Use letters, digits, _ and -.")
    try:
        mapping = _make(name, msgspec.convert(table, _Table, strict=True))
    except msgspec.ValidationError as error:
        raise DeltaMappingError(
            f"[deltas.{name}]: {error}. Mend what is named; docs/deltas.md lists what is possible."
        ) from error
    except (ProjectionError, DeltaMappingError) as error:
        raise DeltaMappingError(f"[deltas.{name}]: {error}") from error
    return mapping


def _make(name: str, read: _Table) -> DeltaMapping:
    _check_events(read)
    _check_parts(read)
    content = None if read.content is None else _content("content", read.content)
    given = {word: getattr(read, word) for word in (*_TEXTS, "names", "id", "person")}
    paths: dict[str, Any] = {word: _path(word, written) for word, written in given.items() if written is not None}
    return DeltaMapping(
        name=name,
        **{role: getattr(read, role) for role in ("proposed", *DECIDED, "requested")},
        pair=read.pair,
        content=content,
        value=content if read.value is None else _content("value", read.value),
        alternatives=None if read.alternatives is None else _alternatives(read.alternatives),
        applied=None if read.applied is None else _applied(read.applied),
        text=None if read.text is None else _document(read.text),
        reason=_reasons(read.reason),
        hovers=read.hovers,
        proposer=read.proposer,
        tokenised=read.tokenised,
        superseded=read.superseded is not False,
        edited_within=read.edited_within,
        expires_after=read.expires_after,
        fields={word: _further(word, written) for word, written in read.fields.items()},
        **paths,
    )


def _check_events(read: _Table) -> None:
    """Refuse events that would be two things at once."""
    if not read.proposed:
        raise DeltaMappingError("proposed is empty. List the event types that put something forward.")
    found: dict[str, str] = {}
    roles = {role: getattr(read, role) for role in ("proposed", *DECIDED, "requested")}
    roles["applied"] = () if read.applied is None else read.applied.events
    for role, types in roles.items():
        for event_type in types:
            if event_type in found:
                raise DeltaMappingError(
                    f"{event_type!r} stands in {found[event_type]} and in {role}. Leave it in one of them."
                )
            found[event_type] = role


def _check_parts(read: _Table) -> None:
    """Refuse parts that do not fit one another."""
    if read.content is None and read.alternatives is None:
        raise DeltaMappingError("It says nowhere what was proposed. Give content, a path, or alternatives, a list.")
    if read.pair == "next" and (read.names is not None or read.id is not None):
        raise DeltaMappingError('names and id have no meaning with pair = "next". Leave them out, or pair by "names".')
    if read.pair == "next" and read.superseded is not None:
        raise DeltaMappingError(
            'superseded has no meaning with pair = "next": what follows makes it expired. Leave it out.'
        )
    if read.hovered is not None and read.alternatives is None:
        raise DeltaMappingError("hovered is an index of alternatives. Give alternatives, or leave hovered out.")
    for word in ("edited_within", "expires_after"):
        seconds = getattr(read, word)
        if seconds is not None and not 0 < seconds < float("inf"):
            raise DeltaMappingError(f"{word} is {seconds:g}. Give seconds, more than 0.")


def _path(word: str, written: _Written) -> Path:
    """Return a path that both engines read alike."""
    path = read_path(written)
    if path.column in TIMES or not is_quotable(path) or (path.in_json and not path.members):
        raise DeltaMappingError(
            f"{word} is {path}, which cannot be read. Give a column of text, or a member such as data.{word}, its name "
            "without quotes and more than a number."
        )
    return path


def _reasons(written: str | tuple[_Written, ...]) -> tuple[Path, ...]:
    return tuple(_path("reason", each) for each in ((written,) if isinstance(written, str) else written))


def _member(word: str, written: _Written) -> Path:
    path = _path(word, written)
    if not path.in_json:
        raise DeltaMappingError(f"{word} is {path}, a column of the envelope. Give a member, such as data.{word}.")
    return path


def _content(word: str, written: _Made) -> Content:
    if isinstance(written, str):
        return Content(((word, _member(word, written)),))
    if not written:
        raise DeltaMappingError(f"{word} names no path. Give one, or a table of them.")
    if not isinstance(written, dict):
        paths = [_member(word, each) for each in written]
        written = {path.members[-1]: (path.column, *path.members) for path in paths}
        if len(written) < len(paths):
            raise DeltaMappingError(
                f"{word} has two paths that end alike. Name them: {word} = {{ one = …, other = … }}."
            )
    return Content(tuple((name, _member(word, each)) for name, each in written.items()), is_object=True)


def _alternatives(read: _Alternatives) -> Alternatives:
    return Alternatives(
        items=_member("list", read.items),
        content=() if read.content is None else _within("content", read.content),
        confidence=None if read.confidence is None else _within("confidence", read.confidence),
        taken=None if read.taken is None else _path("taken", read.taken),
    )


def _within(word: str, written: str) -> tuple[str, ...]:
    """Return the members that lead on from an item of a list."""
    return _member(word, f"data.{written}").members


def _applied(read: _Applied) -> Applied:
    _check_listed("applied", read.events)
    return Applied(events=read.events, delta=_member("delta", read.delta), actor_kind=read.actor_kind)


def _document(read: _Document) -> Document:
    _check_listed("text", read.events)
    start = None if read.start is None else _member("start", read.start)
    return Document(events=read.events, delta=_member("delta", read.delta), start=start)


def _check_listed(word: str, events: tuple[str, ...]) -> None:
    if not events:
        raise DeltaMappingError(f"{word} lists no events. List the event types that change the text.")


def _further(word: str, written: _Written) -> Further:
    of_first = isinstance(written, str) and written.startswith(_FIRST)
    path = str(written).removeprefix(_FIRST) if of_first else written
    return Further(_path(word, path), of_first=of_first)
