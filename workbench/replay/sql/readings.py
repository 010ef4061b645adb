"""What a statement reads of each event: JSON values once a path, texts of scalars, and from them a field's text.

Readings in events of different types share a slot, so that an event is parsed once. The columns of a slot number ``n``
are ``jn`` (the JSON value, NULL where the path leads nowhere), ``kn`` (the first character of its text, which tells its
kind) and ``tn`` (a scalar's text, its number as it was written). ``tag`` is the number of the event's type.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from workbench.decode.registry import Registry
from workbench.query.upcast.sql import Wanted, compile_path
from workbench.query.upcast.text import quote_text
from workbench.replay.folding.paths import TEXTS, Path
from workbench.replay.folding.values import write_scalar
from workbench.replay.projection import Condition, Field, Projection, Source
from workbench.replay.sql.expressions import quote_path, quote_texts, sql_type

UNSET: Final = msgspec.UNSET
NO: Final = "false"
# A value of the JSON type is as good as its text, and cheaper, where every branch is one.
_FORMATTED: Final = re.compile(r"json_format\((json_extract\([^()]*\))\)")
# What stands at one path, else at another: without reading the first twice.
_ELSE: Final = re.compile(r"case when (json_extract\([^()]*\)) is not null then \1 else (json_extract\([^()]*\)) end")
# A path in the events of some types; None: of all that count.
Reading = tuple[Path, frozenset[str] | None]
_LITERAL: Final = "cast(null as varchar)"
NULL_TEXT: Final = "cast(null as varchar)"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a source finds in an event, as expressions.

    ``text`` is a scalar's text; ``value`` what the field keeps where that is not made of the text. ``is_null`` and
    ``is_absent`` hold for a JSON null and for nothing, ``is_there`` where there is a value to be read.
    """

    text: str
    value: str
    is_null: str
    is_absent: str
    is_there: str
    removes: str = NO


class Readings:
    """The readings of one statement, each of a path in the events of some types.

    With a registry they are of payloads as they were written, by expressions that give what stands in the lifted ones.
    """

    def __init__(self, projection: Projection, registry: Registry | None = None) -> None:
        self.registry = registry
        self._all = None if projection.event_types is None else frozenset(projection.event_types)
        self._tags = {name: number for number, name in enumerate(list_types(projection), start=1)}
        self._slots: list[list[Reading]] = []
        self.texts: set[int] = set()
        self.kinds: set[int] = set()
        self.columns: dict[str, None] = {}
        for path, types in list_readings(projection):
            self._place((path, self._wanted(types)))

    def _wanted(self, types: Sequence[str] | None) -> frozenset[str] | None:
        return None if types is None or frozenset(types) == self._all else frozenset(types)

    def _place(self, reading: Reading) -> int:
        """Return the number of a reading's slot: the first whose other readings are of events of other types."""
        types = reading[1]
        for number, slot in enumerate(self._slots):
            if reading in slot:
                return number
            if types is not None and all(other is not None and not other & types for _, other in slot):
                slot.append(reading)
                return number
        self._slots.append([reading])
        return len(self._slots) - 1

    def number(self, path: Path, types: Sequence[str] | None) -> int:
        """Return the number of a reading's slot."""
        reading = (path, self._wanted(types))
        return next(number for number, slot in enumerate(self._slots) if reading in slot)

    def is_shared(self, number: int) -> bool:
        """Tell whether a slot has values in events of other types as well."""
        return len(self._slots[number]) > 1

    def numbers(self) -> range:
        """Return the numbers of the slots."""
        return range(len(self._slots))

    def documents(self) -> list[str]:
        """Return the columns of the envelope that hold JSON to be read."""
        return sorted({path.column for slot in self._slots for path, _ in slot})

    def tag(self) -> str:
        """Return the expression of the number of an event's type, of the events named e."""
        cases = " ".join(f"when {quote_text(name)} then {number}" for name, number in self._tags.items())
        return f"case e.event_type {cases} end" if cases else "cast(null as bigint)"

    def json(self, number: int) -> str:
        """Return the expression of the JSON value that a slot finds in the events named e."""
        return self._choose(self._slots[number], self._json)

    def written(self, number: int) -> str:
        """Return the expression of the text of the scalar that a slot finds in the rows named seen."""
        return self._choose(self._slots[number], self._written)

    def _choose(self, slot: Sequence[Reading], read: Callable[[Path, frozenset[str] | None], str]) -> str:
        if slot[0][1] is None:
            return read(*slot[0])
        cases = " ".join(f"when {self._tagged(types or ())} then {read(path, types)}" for path, types in slot)
        return f"case {cases} end"

    def _tagged(self, types: Iterable[str]) -> str:
        return f"tag in ({', '.join(str(self._tags[name]) for name in sorted(types))})"

    def _json(self, path: Path, types: frozenset[str] | None) -> str:
        lifted = self._lifted(path, types, "json", "e")
        if lifted is None:
            return f"json_extract(e.{path.column}, {quote_path(path)})"
        plain = _ELSE.sub(r"coalesce(\1, \2)", _FORMATTED.sub(r"\1", lifted))
        return f"json_parse({lifted})" if "json_format" in plain or _LITERAL in plain else plain

    def _written(self, path: Path, types: frozenset[str] | None) -> str:
        lifted = self._lifted(path, types, "scalar", "seen")
        return f"json_extract_scalar(seen.{path.column}, {quote_path(path)})" if lifted is None else lifted

    def _lifted(self, path: Path, types: frozenset[str] | None, form: Wanted, alias: str) -> str | None:
        if self.registry is None or path.column != "data":
            return None
        every = types if types is not None else self._all
        return compile_path(self.registry, path.members, event_types=every, form=form, alias=alias)

    def can_lift(self) -> bool:
        """Tell whether all readings have such expressions; the version that an event was lifted to has none."""
        read = [reading for slot in self._slots for reading in slot if reading[0].column == "data"]
        forms: tuple[Wanted, ...] = ("json", "scalar")
        known = all(self._lifted(*reading, form, "e") is not None for reading in read for form in forms)
        return known and "schema_version" not in self.columns

    def text(self, number: int) -> str:
        """Return the column of a slot's text."""
        self.texts.add(number)
        self.kinds.add(number)
        return f"t{number}"

    def kind(self, number: int) -> str:
        """Return the column of the first character of a slot's JSON text."""
        self.kinds.add(number)
        return f"k{number}"

    def column(self, path: Path) -> str:
        """Return an envelope's column."""
        self.columns[path.column] = None
        return path.column

    def column_text(self, path: Path) -> str:
        """Return the text of an envelope's column."""
        column = self.column(path)
        return column if path.column in TEXTS else f"cast({column} as varchar)"

    def in_types(self, types: Sequence[str] | None) -> str | None:
        """Return the condition that an event has one of some types; None where every event has."""
        return None if self._wanted(types) is None else self._tagged(types or ())


def list_types(projection: Projection) -> list[str]:
    """Return the event types that a projection's fields name."""
    sources = [source for field in projection.fields for source in field.sources]
    return sorted({name for source in sources for name in source.event_types or ()})


def list_readings(projection: Projection) -> Iterator[tuple[Path, Sequence[str] | None]]:
    """Yield the paths into JSON that a projection's fields read, and in the events of which types."""
    for source in (source for field in projection.fields for source in field.sources):
        if source.constant is UNSET and source.path is not None and source.path.in_json:
            yield source.path, source.event_types
        for condition in source.when:
            if condition.path.in_json:
                yield condition.path, source.event_types


def find_source(readings: Readings, field: Field, source: Source) -> Found:
    """Return what a source finds in an event of its types."""
    if source.constant is not UNSET or source.path is None:
        constant = True if source.constant is UNSET else source.constant
        return find_constant(field, constant)
    if source.path.in_json:
        return find_json(readings, field, source, source.path)
    text = readings.column_text(source.path)
    column = readings.column(source.path)
    is_json = field.kind == "json"
    value = f"('s' || {text})" if is_json and source.path.column in TEXTS else text if is_json else column
    found = Found(text=text, value=value, is_null=NO, is_absent=f"{column} is null", is_there=f"{column} is not null")
    return replace_values(field, source, found)


def find_constant(field: Field, constant: object) -> Found:
    """Return a constant as what was found."""
    text = write_scalar(constant)
    nothing = f"cast(null as {sql_type(field)})"
    value = quote_text(msgspec.json.encode(constant).decode()) if field.kind == "json" else nothing
    return Found(
        text=NULL_TEXT if text is None else quote_text(text),
        value=nothing if constant is None else value,
        is_null="true" if constant is None else NO,
        is_absent=NO,
        is_there=NO if constant is None else "true",
    )


def find_json(readings: Readings, field: Field, source: Source, path: Path) -> Found:
    """Return what stands at a path of a payload."""
    number = readings.number(path, source.event_types)
    needs_kind = source.values is not None or field.rule in ("last", "first", "count") or field.kind != "json"
    kind = readings.kind(number) if needs_kind else f"k{number}"
    text = readings.text(number) if field.rule != "count" and (field.kind != "json" or source.values) else NULL_TEXT
    if field.rule == "count" and source.values:
        text = readings.text(number)
    found = Found(
        text=text,
        value=f"json_format(j{number})",
        is_null=f"{kind} = 'n'",
        is_absent=f"{kind} is null",
        is_there=f"{kind} <> 'n'",
    )
    return replace_values(field, source, found)


def replace_values(field: Field, source: Source, found: Found) -> Found:
    """Return what was found with the texts that a source lists replaced."""
    if not source.values:
        return found
    made = {text: find_constant(field, value) for text, value in source.values.items()}

    def choose(part: Callable[[Found], str]) -> str:
        cases = " ".join(f"when {quote_text(text)} then {part(one)}" for text, one in made.items())
        return f"case {found.text} {cases} else {part(found)} end"

    return Found(
        text=choose(lambda one: one.text),
        value=choose(lambda one: one.value) if field.kind == "json" else found.value,
        is_null=choose(lambda one: one.is_null),
        is_absent=found.is_absent,
        is_there=choose(lambda one: one.is_there),
    )


def find_field(readings: Readings, field: Field) -> Found:
    """Return what an event gives a field: of its sources the first that fits, NULL and false where none does."""
    cases = []
    for source in field.sources:
        found = find_source(readings, field, source)
        tests = [readings.in_types(source.event_types), *(holds(readings, source, each) for each in source.when)]
        if source.removes:
            found = msgspec.structs.replace(found, removes="true")
        cases.append((" and ".join(test for test in tests if test is not None), found))
    if len(cases) == 1:
        guard, found = cases[0]
        if not guard or (is_alone(readings, field) and not field.takes_absent):
            return found

    def choose(part: Callable[[Found], str], otherwise: str) -> str:
        whens: list[tuple[str, str]] = []
        for guard, found in cases:
            test, shown = guard or "true", part(found)
            if whens and whens[-1][1] == shown:
                test = f"({whens.pop()[0]}) or ({test})"
            whens.append((test, shown))
        return f"case {' '.join(f'when {test} then {shown}' for test, shown in whens)} else {otherwise} end"

    return Found(
        text=choose(lambda one: one.text, "null"),
        value=choose(lambda one: one.value, "null"),
        is_null=choose(lambda one: one.is_null, NO),
        is_absent=choose(lambda one: one.is_absent, NO),
        is_there=choose(lambda one: one.is_there, NO),
        removes=choose(lambda one: one.removes, NO),
    )


def is_alone(readings: Readings, field: Field) -> bool:
    """Tell whether a field has one source without conditions, a path whose slot is NULL in all other events."""
    source = field.sources[0]
    if source.path is None or not source.path.in_json or source.when or source.constant is not UNSET:
        return False
    return not readings.is_shared(readings.number(source.path, source.event_types))


def holds(readings: Readings, source: Source, condition: Condition) -> str:
    """Return a condition as an expression that is true or false."""
    path = condition.path
    if path.in_json:
        number = readings.number(path, source.event_types)
        is_there = f"coalesce({readings.kind(number)} <> 'n', false)"
        text = readings.text(number) if condition.texts is not None else ""
    else:
        is_there, text = f"{readings.column(path)} is not null", readings.column_text(path)
    met = is_there if condition.texts is None else f"coalesce({text} in ({quote_texts(condition.texts)}), false)"
    return f"not {met}" if condition.is_negated else met


def condition_paths(projection: Projection) -> list[Path]:
    """Return the paths that a projection's conditions read."""
    return [when.path for field in projection.fields for source in field.sources for when in source.when]
