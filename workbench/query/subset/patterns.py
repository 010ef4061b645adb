"""Regular expressions and JSON paths: the part of each that means the same on both engines."""

import re
from typing import Final


class PatternError(ValueError):
    """A pattern or path outside that part."""


# Trino's engine knows these and DuckDB's does not, or reads them differently.
_FOREIGN: Final = {
    r"\(\?(?!:|P<|i\)|s\)|m\)|im\)|is\))": "look-around, atomic groups and (?<name>…) (write (?:…))",
    r"\\[1-9]": "back references",
    r"[*+?}]\+": "possessive quantifiers",
    r"\\[GRXZkpPQEhHvVK]": r"\G, \R, \X, \Z, \k, \p, \Q, \h, \v",
    r"\[[^\]]*(?:&&|\[(?!:))": "set operations inside […]",
}
_OPTIONAL_GROUP: Final = re.compile(r"(?<!\\)\)(?:[?*]|\{0)|(?<!\\)\|")


def check_pattern(pattern: str, group: int = 0) -> None:
    """Refuse a regular expression that the engines read differently.

    A group that may take no part in a match is NULL in Trino and '' in DuckDB, so with ``group`` above 0 the pattern
    may hold no optional group and no alternative.
    """
    for foreign, name in _FOREIGN.items():
        if re.search(r"(?<!\\)(?:\\\\)*" + foreign, pattern):
            raise PatternError(f"The pattern {pattern!r} uses {name}, which the engines read differently")
    if group and _OPTIONAL_GROUP.search(pattern):
        raise PatternError(
            f"Group {group} of {pattern!r} may take no part in a match, where the engines differ; give each "
            "alternative a pattern of its own"
        )


def may_match_nothing(pattern: str) -> bool:
    """Say whether a pattern also matches the empty text; one that Python cannot read may."""
    try:
        return re.match(pattern, "") is not None
    except re.error:
        return True


def duckdb_replacement(text: str) -> str:
    r"""Return DuckDB's form of a replacement: ``$1`` becomes ``\1``, and ``\$`` a dollar."""
    written, index = [], 0
    while index < len(text):
        letter = text[index]
        if letter == "\\" and index + 1 < len(text):
            index += 1
            written.append("\\\\" if text[index] == "\\" else text[index])
        elif letter == "$":
            index += 1
            if index == len(text) or not text[index].isdigit():
                raise PatternError(f"The replacement {text!r} names a group other than by number; write $1")
            written.append("\\" + text[index])
        else:
            written.append(letter)
        index += 1
    return "".join(written)


_STEP: Final = re.compile(
    r"""\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\[(?P<index>\d+)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]"""
)


def json_path(path: str) -> str:
    """Return DuckDB's form of a Trino JSON path such as ``$.a["b c"][0]``; wildcards are refused."""
    if not path.startswith("$"):
        raise PatternError(f"The JSON path {path!r} must begin with $")
    index, steps = 1, ["$"]
    while index < len(path):
        found = _STEP.match(path, index)
        if found is None:
            raise PatternError(
                f'The JSON path {path!r} is not understood from {path[index:]!r}; possible are $.name, [0] and ["name"]'
            )
        if found["index"] is not None:
            steps.append(f"[{found['index']}]")
        else:
            name = found["name"] or re.sub(r"\\(.)", r"\1", found["quoted"] or "")
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            steps.append(f'."{escaped}"')
        index = found.end()
    return "".join(steps)
