"""Pieces of SQL as text, put together so that what is certain is not asked: the words of upcast_states.py."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

NULL: Final = "null"
TRUE: Final = "true"
FALSE: Final = "false"
# Names that both engines' JSON paths take as they are. In Trino one that reads as a number names an item of a list.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTABLE: Final = re.compile(r'[^"\\\x00-\x1f\x7f]*[^"\\\x00-\x1f\x7f0-9+-][^"\\\x00-\x1f\x7f]*')


def is_plain(name: str) -> bool:
    """Tell whether the engines read a member's name alike.

    >>> is_plain("lifecycle:transition"), is_plain("0"), is_plain('"')
    (True, False, False)
    """
    return _QUOTABLE.fullmatch(name) is not None


def quote_text(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def quote_path(path: Iterable[str]) -> str:
    """Return plain names as a JSON path in SQL.

    >>> print(quote_path(("a", "b c")))
    '$.a["b c"]'
    """
    return quote_text("$" + "".join(f".{name}" if _PLAIN.fullmatch(name) else f'["{name}"]' for name in path))


def case(branches: Sequence[tuple[str, str]], otherwise: str) -> str:
    """Return the result of the first branch whose condition holds.

    >>> case([("a", "1"), ("b", "2"), ("c", "0")], "0")
    'case when a then 1 when b then 2 else 0 end'
    """
    kept: list[tuple[list[str], str]] = []
    for condition, result in branches:
        if condition == TRUE:
            otherwise = result
            break
        if condition != FALSE and kept and kept[-1][1] == result:
            kept[-1][0].append(condition)
        elif condition != FALSE:
            kept.append(([condition], result))
    while kept and kept[-1][1] == otherwise:
        kept.pop()
    if not kept:
        return otherwise
    if [result for _, result in kept] == [TRUE] and otherwise == FALSE:
        return f"coalesce({any_of(*kept[0][0])}, false)"
    words = " ".join(f"when {any_of(*conditions)} then {result}" for conditions, result in kept)
    return f"case {words} else {otherwise} end"


def all_of(*conditions: str) -> str:
    """Return the condition that all hold."""
    kept = [condition for condition in dict.fromkeys(conditions) if condition != TRUE]
    if FALSE in kept:
        return FALSE
    return " and ".join(f"({condition})" for condition in kept) if len(kept) > 1 else "".join(kept) or TRUE


def any_of(*conditions: str) -> str:
    """Return the condition that one holds."""
    kept = [condition for condition in dict.fromkeys(conditions) if condition != FALSE]
    if TRUE in kept:
        return TRUE
    return " or ".join(f"({condition})" for condition in kept) if len(kept) > 1 else "".join(kept) or FALSE


def none_of(condition: str) -> str:
    """Return the condition that another does not hold."""
    return {TRUE: FALSE, FALSE: TRUE}.get(condition, f"not ({condition})")
