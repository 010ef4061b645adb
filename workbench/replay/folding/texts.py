"""A text grown by deltas of retain, insert and delete operations, with whose each character is."""

from itertools import groupby
from typing import Any, Final

import msgspec

# What stands in a text for an embedded object, such as a picture: one unit, as editors count it.
EMBEDDED: Final = "\ufffc"


class Text(msgspec.Struct, frozen=True):
    """A text in UTF-16 units, as editors in a browser count, and unit by unit the code of its author in ``authors``."""

    units: str = ""
    owners: str = ""
    authors: tuple[str | None, ...] = ()

    @property
    def content(self) -> str:
        """The text. A half of a surrogate pair, which a delta may have cut, is U+FFFD."""
        return join_units(self.units)

    @property
    def spans(self) -> list[list[Any]]:
        """Whose the characters are, as runs of author and length in UTF-16 units."""
        return [[self.authors[ord(code)], sum(1 for _ in run)] for code, run in groupby(self.owners)]


def set_text(content: str, author: str | None) -> Text:
    """Return a text that is all one author's."""
    units = split_units(content)
    return Text(units, "\0" * len(units), (author,))


def apply_delta(text: Text, delta: Any, author: str | None) -> Text | None:
    """Return the text after a delta, a list of operations or an object with them as ``ops``; None where it is none.

    What lies behind the last operation stays. An operation that leads out of the text makes it no delta of this text.

    >>> text = apply_delta(Text(), [{"insert": "Hello"}], "ai")
    >>> text = apply_delta(text, {"ops": [{"retain": 4}, {"delete": 1}, {"insert": "!"}]}, "me")
    >>> text.content, text.spans
    ('Hell!', [['ai', 4], ['me', 1]])
    """
    authors = text.authors if author in text.authors else (*text.authors, author)
    code, at = chr(authors.index(author)), 0
    units: list[str] = []
    owners: list[str] = []
    for operation in (delta.get("ops") if isinstance(delta, dict) else delta) or ():
        inserted, length = read_operation(operation)
        if inserted is not None:
            units.append(inserted)
            owners.append(code * len(inserted))
            continue
        if length is None or at + abs(length) > len(text.units):
            return None
        if length > 0:
            units.append(text.units[at : at + length])
            owners.append(text.owners[at : at + length])
        at += abs(length)
    return Text("".join((*units, text.units[at:])), "".join((*owners, text.owners[at:])), authors)


def is_delta(value: Any) -> bool:
    """Tell whether a JSON value has the form of a delta."""
    return isinstance(value, list) or (isinstance(value, dict) and isinstance(value.get("ops"), list))


def read_operation(operation: Any) -> tuple[str | None, int | None]:
    """Return the units an operation inserts, or how many it retains (deletes: below zero); neither for what is none."""
    if not isinstance(operation, dict):
        return None, None
    insert = operation.get("insert")
    if isinstance(insert, str):
        return split_units(insert), None
    if isinstance(insert, dict):
        return EMBEDDED, None
    retain = operation.get("retain")
    if type(retain) is int and retain >= 0:
        return None, retain
    delete = operation.get("delete")
    return None, (-delete if type(delete) is int and delete >= 0 else None)


def split_units(content: str) -> str:
    """Return a text with every character beyond U+FFFF as its two surrogates."""
    if content.isascii() or max(content) <= "\uffff":
        return content
    coded = content.encode("utf-16-le", "surrogatepass")
    return "".join(chr(unit) for unit in memoryview(coded).cast("H"))


def join_units(units: str) -> str:
    """Return the text that UTF-16 units are; a half of a surrogate pair is U+FFFD.

    >>> join_units(split_units("Well done 👍"))
    'Well done 👍'
    """
    return units if units.isascii() else units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
