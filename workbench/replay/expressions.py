"""Pieces of statements, in the declared subset: what stands at a path of an event, and which events a cut counts."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from workbench.errors import ProjectionError
from workbench.replay.cut import Cut
from workbench.replay.paths import TEXTS, Path

# Names that both engines' JSON paths take as they are. In Trino one that reads as a number names an item of a list.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTABLE: Final = re.compile(r'[^"\\\x00-\x1f\x7f]*[^"\\\x00-\x1f\x7f0-9+-][^"\\\x00-\x1f\x7f]*')


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A cut, and of which streams and types the events are; None: of all."""

    cut: Cut = Cut()
    stream_ids: Sequence[str] | None = None
    event_types: Sequence[str] | None = None

    def conditions(self, alias: str) -> tuple[list[str], dict[str, Any]]:
        """Return the conditions over the events named ``alias``, and their parameters."""
        parameters: dict[str, Any] = {}
        found = []
        if self.cut.up_to is not None:
            found.append(f"{alias}.position <= :up_to")
            parameters["up_to"] = self.cut.up_to
        if self.cut.as_of is not None:
            found.append(f"{alias}.occurred_at <= :as_of")
            parameters["as_of"] = self.cut.as_of
        for column, values in (("stream_id", self.stream_ids), ("event_type", self.event_types)):
            if values is not None:
                found.append(f"{alias}.{column} in ({quote_texts(values)})" if values else "false")
        return found, parameters


def quote_text(text: str) -> str:
    """Return a text as SQL writes it.

    >>> quote_text("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def quote_texts(texts: Iterable[str]) -> str:
    """Return a list of texts as IN takes it."""
    return ", ".join(quote_text(text) for text in texts)


def quote_path(path: Path) -> str | None:
    """Return a path's members as a JSON path in SQL; None where the engines read one of them differently.

    >>> print(quote_path(Path("data", ("a", "b c"))))
    '$.a["b c"]'
    """
    steps = []
    for name in path.members:
        if _PLAIN.fullmatch(name):
            steps.append(f".{name}")
        elif _QUOTABLE.fullmatch(name):
            steps.append(f'["{name}"]')
        else:
            return None
    return quote_text("$" + "".join(steps))


def scalar_at(path: Path, alias: str) -> str:
    """Return the expression of the text of the scalar at a path. Raises ProjectionError where SQL cannot name it."""
    if not path.in_json:
        column = f"{alias}.{path.column}"
        return column if path.column in TEXTS else f"cast({column} as varchar)"
    quoted = quote_path(path)
    if quoted is None:
        raise ProjectionError(f"SQL cannot name the path {path}. Give a path without quotes and bare numbers.")
    return f"json_extract_scalar({alias}.{path.column}, {quoted})"
