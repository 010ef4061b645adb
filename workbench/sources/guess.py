"""Which source a file is: told by its content, or named. Third parties add one by entry point.

The group is ``workbench.sources``. An entry point's name is the format's; it loads a callable that takes the path and
returns a `Source`. If it has a function ``recognises(head)``, it is asked about the first 64 KiB of files that none of
our own formats claims.
"""

import re
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final

from workbench.errors import MappingError, SourceError
from workbench.sources.base import Source
from workbench.sources.compression import GZIP_MAGIC, ZSTD_MAGIC, open_bytes
from workbench.sources.mapping import Mapping, load_mapping

HEAD: Final = 1 << 16
GROUP: Final = "workbench.sources"
_MAGIC: Final = ((b"PAR1", "parquet"), (b"Obj\x01", "avro"))
_SPACE: Final = b" \t\r\n"
_ROOT: Final = re.compile(
    r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>\s*)*<(?:[\w.-]+:)?([\w.-]+)", re.DOTALL
)
_MARKER: Final = re.compile(r'"specversion"\s*:\s*"')
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
# What a file of one of these kinds begins with is never the beginning of another kind.
_CERTAIN: Final = ("parquet", "avro", "xes", "ocel")
_SQLITE: Final = b"SQLite format 3"
# A table that only OCEL 2.0 has; SQLite keeps the names of the first tables at a file's beginning.
_OCEL: Final = b"event_map_type"


def open_source(path: str | Path, *, format: str | None = None, mapping: str | Path | Mapping | None = None) -> Source:  # noqa: A002 - the word the user says
    """Return the source that reads this file, recognised by its content and never by its name alone.

    ``format`` names it instead. ``mapping`` is a mapping file for Parquet, CSV, Avro and JSON lines. Raises SourceError
    when the file is absent, a directory, empty, not readable, of an unknown kind or of another kind than named, and
    MappingError when the mapping is not valid or the format takes none.
    """
    path = Path(path)
    given = mapping if mapping is None or isinstance(mapping, Mapping) else load_mapping(Path(mapping))
    head = read_head(path)
    kind = format or (given.format if given else None)
    # A long schema may hide the names of a database's tables; OCEL is the only such format of ours, and looks closer.
    possible = "ocel" if head.startswith(_SQLITE) else None
    _check_named(path, kind, recognise(head) or possible)
    kind = kind or recognise(head) or _ask_others(head) or possible
    if kind == "agents" and given is not None and format is None:
        kind = "jsonlines"  # of which a mapping says itself what is in its messages
    if kind is None:
        raise SourceError(
            f"{path} is of no kind that is known ({_describe(head)}). "
            f"Name its format; possible are {', '.join(list_formats())}."
        )
    return _open(path, kind, given)


def list_formats() -> list[str]:
    """Return the names of all formats that can be read here."""
    return [*_OPENERS, *sorted(point.name for point in entry_points(group=GROUP) if point.name not in _OPENERS)]


def recognise(head: bytes) -> str | None:
    """Return the format that a file's (decompressed) beginning shows, or None."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(_SQLITE):
        return "ocel" if _OCEL in head else None
    text = (_read_text(head) or "").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        root = _ROOT.match(text)
        return "xes" if root is None or root[1] == "log" else None
    if text.startswith(("{", "[")):
        from workbench.sources import agents

        if agents.recognises(text):
            return "agents"
        return "cloudevents" if _MARKER.search(text) else "jsonlines" if _is_json_lines(text) else None
    line = text.split("\n", 1)[0]
    return "csv" if any(mark in line for mark in ",;\t|") else None


def read_head(path: Path) -> bytes:
    """Return the file's first 64 KiB, decompressed where it is compressed."""
    with open_bytes(path) as stream:
        return stream.read(HEAD)


def _read_text(head: bytes) -> str | None:
    """Return the head as text, or None where it is binary; a character cut off at its end is no fault."""
    if head.startswith(_UTF16):
        return head.decode("utf-16", errors="ignore")
    if b"\0" in head.lstrip(_SPACE)[:1024]:
        return None
    try:
        return head.decode()
    except UnicodeDecodeError as error:
        is_cut = len(head) == HEAD and error.start > HEAD - 4
        latin = head.lstrip(_SPACE).startswith(b"<")
        return head.decode(errors="replace") if is_cut or latin or head.lstrip(_SPACE)[:1] == b"{" else None


def _is_json_lines(text: str) -> bool:
    """Say whether the text is one object a line, also when the first is malformed, and no object over several lines."""
    from workbench.sources.cloudevents import is_document

    return text.startswith("{") and not is_document(text.encode())


def _check_named(path: Path, named: str | None, seen: str | None) -> None:
    if named is None:
        return
    if named not in list_formats():
        raise SourceError(f"There is no format {named!r}. Possible are {', '.join(list_formats())}.")
    if seen != named and named in _OPENERS and (seen in _CERTAIN or named in _CERTAIN):
        shown = f"its content is {seen}" if seen else "its content shows another kind"
        raise SourceError(
            f"{path} is named as {named}, but {shown}. Name another format, or none to have it recognised."
        )


def _describe(head: bytes) -> str:
    for magic, name in (
        (b"PK\x03\x04", "a zip archive"),
        (b"%PDF", "a PDF"),
    ):
        if head.startswith(magic):
            return f"it is {name}"
    return "it is text" if _read_text(head) is not None else f"its first bytes are {head[:4].hex(chr(32))}"


def _find_others() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _ask_others(head: bytes) -> str | None:
    for name, point in _find_others().items():
        recognises = getattr(point.load(), "recognises", None)
        if recognises is not None and recognises(head):
            return name
    return None


def _open(path: Path, kind: str, mapping: Mapping | None) -> Source:
    opener = _OPENERS.get(kind)
    if opener is None:
        source = _find_others()[kind].load()(path)
        if not isinstance(source, Source):
            raise SourceError(f"The entry point {kind} of {GROUP} gave {type(source).__name__}, which is no Source.")
        return source
    return opener(path, mapping)


def _open_xes(path: Path, mapping: Mapping | None) -> Source:
    from workbench.sources.xes import XesSource

    _refuse_mapping("XES", mapping)
    return XesSource(path)


def _open_cloudevents(path: Path, mapping: Mapping | None) -> Source:
    from workbench.sources.cloudevents import CloudEvents

    _refuse_mapping("CloudEvents", mapping)
    return CloudEvents(path)


def _open_jsonlines(path: Path, mapping: Mapping | None) -> Source:
    if mapping is None:
        from workbench.sources.jsonlines import JsonLines

        return JsonLines(path)
    from workbench.sources.documents import DocumentSource

    return DocumentSource(path, mapping=mapping)


def _open_csv(path: Path, mapping: Mapping | None) -> Source:
    from workbench.sources.delimited import CsvSource

    return CsvSource(path, mapping=mapping)


def _open_parquet(path: Path, mapping: Mapping | None) -> Source:
    from workbench.sources.parquet import ParquetSource

    _refuse_compressed(path, "Parquet")
    return ParquetSource(path, mapping=mapping)


def _open_avro(path: Path, mapping: Mapping | None) -> Source:
    from workbench.sources.avro import AvroSource

    return AvroSource(path, mapping=mapping)


def _open_ocel(path: Path, mapping: Mapping | None) -> Source:
    from workbench.sources.ocel import OcelSource

    _refuse_mapping("OCEL", mapping)
    return OcelSource(path)


def _open_agents(path: Path, mapping: Mapping | None) -> Source:
    from workbench.sources.agents import AgentRuns

    _refuse_mapping("A file of agent runs", mapping)
    return AgentRuns(path)


def _refuse_mapping(kind: str, mapping: Mapping | None) -> None:
    if mapping is not None:
        raise MappingError(f"{kind} says itself which part is which, so {mapping.name} cannot be used. Leave it out.")


def _refuse_compressed(path: Path, kind: str) -> None:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic.startswith(GZIP_MAGIC) or magic == ZSTD_MAGIC:
        raise SourceError(
            f"{path} is {kind} inside of gzip or zstd, where its end cannot be reached. Decompress it first."
        )


_OPENERS: Final[dict[str, Callable[[Path, Mapping | None], Source]]] = {
    "cloudevents": _open_cloudevents,
    "jsonlines": _open_jsonlines,
    "xes": _open_xes,
    "csv": _open_csv,
    "parquet": _open_parquet,
    "avro": _open_avro,
    "ocel": _open_ocel,
    "agents": _open_agents,
}
