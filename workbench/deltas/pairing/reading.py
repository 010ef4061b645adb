"""What a mapping's paths read of an event, as expressions of the declared subset over the events named e.

Payloads are read as they were written, by expressions that give what stands in the lifted ones; where SQL cannot say
that, `events` is read, which lifts them.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Final

from workbench.decode.registry import EMPTY, Registry
from workbench.deltas.mapping import DECIDED, Alternatives, Content, DeltaMapping
from workbench.query.upcast.sql import compile_path
from workbench.query.upcast.text import quote_path as quote_members
from workbench.query.upcast.text import quote_text
from workbench.replay.folding.paths import TEXTS, Path
from workbench.replay.sql.expressions import quote_path, quote_texts

DECISIONS: Final = "decided"
# A value of the JSON type is as good as its text, and cheaper, where every branch is one.
_FORMATTED: Final = re.compile(r"json_format\((json_extract\([^()]*\))\)")
_NULL: Final = "cast(null as varchar)"


class UnsayableError(Exception):
    """What stands at a path of a lifted payload has no expression."""


class Reader:
    """Reads the events of one mapping, each thing in the events of its role alone."""

    def __init__(self, mapping: DeltaMapping, registry: Registry) -> None:
        self.mapping = mapping
        self._registry = registry

    def types(self, role: str) -> Sequence[str] | None:
        """Return the event types of a role, of all decisions, or None for a stream's first event."""
        if role == DECISIONS:
            return tuple(name for each in DECIDED for name in self.mapping.types(each))
        return None if role == "first" else self.mapping.types(role)

    def text(self, path: Path, role: str) -> str:
        """Return a path's text: of a scalar the text, of a list or an object its JSON."""
        if not path.in_json:
            return self.guarded(column_text(path), role)
        whole = f"nullif({self._find(path, role, as_json=True)}, 'null')"
        return self.guarded(f"coalesce({self._find(path, role, as_json=False)}, {whole})", role)

    def scalar(self, path: Path, role: str) -> str:
        """Return the text of the scalar at a path."""
        found = self._find(path, role, as_json=False) if path.in_json else column_text(path)
        return self.guarded(found, role)

    def json(self, path: Path, role: str) -> str:
        """Return a path's JSON text, NULL for a JSON null; a column's text as a JSON string."""
        if not path.in_json:
            return self.guarded(f"json_format(cast({column_text(path)} as json))", role)
        return self.guarded(f"nullif({self._find(path, role, as_json=True)}, 'null')", role)

    def content(self, content: Content, role: str) -> str:
        """Return what a content is made of, as JSON text; members that are absent are left out of an object."""
        if not content.is_object:
            return self.json(content.paths[0][1], role)
        parts = [(name, self._find(path, role, as_json=True)) for name, path in content.paths]
        return self.guarded(write_object(parts), role)

    def number(self, path: Path, role: str) -> str:
        """Return the double at a path, a number or a text of one."""
        if not path.in_json:
            return self.guarded(f"try_cast({column_text(path)} as double)", role)
        return self.guarded(f"try_cast({self._value(path, role)} as double)", role)

    def items(self, listed: Alternatives) -> str:
        """Return the alternatives as an array of JSON values, NULL where the path leads to no list."""
        return self.guarded(f"try_cast({self._value(listed.items, 'proposed')} as array(json))", "proposed")

    def inserted(self, path: Path) -> str:
        """Return an array of the texts that a Quill delta inserts."""
        within = self._value(Path(path.column, (*path.members, "ops")), "applied")
        operations = f"try_cast(coalesce({within}, {self._value(path, 'applied')}) as array(json))"
        return self.guarded(f"transform({operations}, item -> json_extract_scalar(item, '$.insert'))", "applied")

    def guarded(self, expression: str, role: str) -> str:
        """Return an expression that is worked out for the events of a role only."""
        types = self.types(role)
        if types is None:
            return expression
        return f"case when e.event_type in ({quote_texts(types)}) then {expression} end" if types else _NULL

    def _find(self, path: Path, role: str, *, as_json: bool) -> str:
        """Return the expression of what stands at a path, as JSON text or as the text of a scalar."""
        if path.column != "data":
            found = f"json_extract(e.{path.column}, {quote_path(path)})"
            return f"json_format({found})" if as_json else f"json_extract_scalar({found}, '$')"
        form = "json" if as_json else "scalar"
        types = self.types(role)
        written = compile_path(self._registry, path.members, event_types=types, form=form, alias="e")  # type: ignore[arg-type] # one of its words
        if written is None:
            raise UnsayableError(path)
        return written

    def _value(self, path: Path, role: str) -> str:
        """Return the JSON value at a path."""
        written = self._find(path, role, as_json=True)
        plain = _FORMATTED.sub(r"\1", written)
        return f"json_parse({written})" if "json_format" in plain or _NULL in plain else plain


def choose_reader(mapping: DeltaMapping, registry: Registry, write: Callable[[Reader, str], str]) -> str:
    """Return what ``write`` makes with a reader and the relation it reads: `events_stored`, or `events` that lifts."""
    try:
        return write(Reader(mapping, registry), "events_stored")
    except UnsayableError:
        return write(Reader(mapping, EMPTY), "events")


def column_text(path: Path) -> str:
    """Return a column of the envelope as text."""
    return f"e.{path.column}" if path.column in TEXTS else f"cast(e.{path.column} as varchar)"


def write_object(parts: Sequence[tuple[str, str]]) -> str:
    """Return an object of JSON texts by name as JSON text; NULL where all are."""
    members = [f"{quote_text(json.dumps(name, ensure_ascii=False) + ':')} || {text}" for name, text in parts]
    joined = members[0] if len(members) == 1 else f"concat_ws(',', {', '.join(members)})"
    return f"nullif('{{' || {joined} || '}}', '{{}}')"


def member_json(item: str, members: Sequence[str]) -> str:
    """Return the JSON text of a member of a JSON value, of the value itself where there are no members."""
    return f"json_format(json_extract({item}, {quote_members(members)}))" if members else f"json_format({item})"


def member_number(item: str, members: Sequence[str]) -> str:
    """Return the double that is a member of a JSON value."""
    value = f"json_extract({item}, {quote_members(members)})" if members else item
    return f"try_cast({value} as double)"


def member_text(item: str, members: Sequence[str]) -> str:
    """Return the text of the scalar that is a member of a JSON value."""
    return f"json_extract_scalar({item}, {quote_members(members)})"


def join_inserted(texts: str) -> str:
    """Return the text that inserted ones make together, NULL where they make none."""
    return f"nullif(array_join({texts}, ''), '')"
