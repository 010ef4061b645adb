"""A strict JSON scanner: decides what the fast path leaves open, finds the byte at fault, repairs what it can."""

import re
from typing import Any, Final

import msgspec

from workbench.decode.canonical import encode_json, write_number
from workbench.decode.normalise import MAX_INTEGER, MAX_NESTING, MIN_INTEGER, FaultError

BYTE_ORDER_MARK: Final = "\ufeff"
REPLACEMENT: Final = "\ufffd"
SPACE: Final = re.compile(r"[ \t\n\r]*")
NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
NOT_A_NUMBER: Final = re.compile(r"-?Infinity|NaN")
PLAIN: Final = re.compile(r'[^"\\\x00-\x1f]*')
ESCAPED_UNIT: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
WORDS: Final = {"true": True, "false": False, "null": None}


# A code, what was found, and the character at which it was found.
Fault = tuple[str, str, int]


class Scanned(msgspec.Struct, frozen=True):
    """A value whose numbers are msgspec.Raw as written, and the text of each member of an outermost object."""

    value: Any
    members: dict[str, bytes]


def scan_json(raw: bytes, *, nesting: int = MAX_NESTING) -> Scanned:
    """Return the value of one JSON text that keeps every rule; raises FaultError for the first rule it breaks.

    The fault carries the byte offset and, unless the text is not JSON at all, the text as it would be accepted.
    """
    text, fault = _read_text(raw)
    scanner = Scanner(text, nesting, fault)
    value = scanner.scan()
    if not scanner.faults:
        return Scanned(value, scanner.members)
    raise scanner.explain(*scanner.faults[0], repaired=encode_json(value))


def _read_text(raw: bytes) -> tuple[str, Fault | None]:
    try:
        return raw.decode(), None
    except UnicodeDecodeError as error:
        at = error.start
    found = raw[at : at + 3]
    is_surrogate = len(found) > 1 and found[0] == 0xED and 0xA0 <= found[1] <= 0xBF  # noqa: PLR2004 - ED A0..BF begins D800..DFFF
    shown = found[: 3 if is_surrogate else 1].hex(" ").upper()
    text = raw.decode("utf-8", "surrogatepass" if _passes(raw) else "replace")
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text, ("lone_surrogate" if is_surrogate else "not_utf8", shown, at)


def _passes(body: bytes) -> bool:
    try:
        body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


class Scanner:
    """Scans one text; faults that can be repaired are gathered, others raised."""

    def __init__(self, text: str, nesting: int, fault: Fault | None) -> None:
        self.text = text
        self.nesting = nesting
        self.encoding_fault = fault
        self.faults: list[Fault] = [] if fault is None else [fault]
        self.members: dict[str, bytes] = {}

    def scan(self) -> Any:
        """Return the one value of the text."""
        start = self._space(0)
        if start == len(self.text):
            raise self.explain("empty_record", "no JSON value", start)
        value, end = self._value(start, 0)
        end = self._space(end)
        if end != len(self.text):
            raise self.explain("trailing_data", _show(self.text[end : end + 20]), end)
        return value

    def explain(self, code: str, detail: str, at: int, *, repaired: bytes | None = None) -> FaultError:
        """Return the fault at a character; one of the encoding comes before all others and names its byte already."""
        if self.encoding_fault is not None:
            code, detail, offset = self.encoding_fault
            return FaultError(code, detail, at=offset, repaired=repaired)
        return FaultError(code, detail, at=len(self.text[:at].encode()), repaired=repaired)

    def _broken(self, at: int) -> FaultError:
        found = self.text[at : at + 20]
        return self.explain("malformed_json", f"unexpected {_show(found)}" if found else "the text ends too early", at)

    def _space(self, at: int) -> int:
        match = SPACE.match(self.text, at)
        return match.end() if match else at

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        first = self.text[at : at + 1]
        if first == BYTE_ORDER_MARK:
            self.faults.append(("byte_order_mark", "EF BB BF", at))
            return self._value(self._space(at + 1), depth)
        if first == '"':
            return self._string(at + 1)
        if first in ("{", "["):
            if depth >= self.nesting:
                raise self.explain("nesting_too_deep", f"level {depth + 1}", at)
            return self._object(at + 1, depth) if first == "{" else self._array(at + 1, depth)
        match = NUMBER.match(self.text, at)
        return self._number(match) if match else self._word(at)

    def _word(self, at: int) -> tuple[Any, int]:
        for word, value in WORDS.items():
            if self.text.startswith(word, at):
                return value, at + len(word)
        special = NOT_A_NUMBER.match(self.text, at)
        if special:
            self.faults.append(("nan_or_infinity", special[0], at))
            return None, special.end()
        raise self._broken(at)

    def _number(self, match: re.Match[str]) -> tuple[Any, int]:
        code = _number_fault(match[0], is_integer=match[1] is None and match[2] is None)
        if code is None:
            return msgspec.Raw(match[0].encode()), match.end()
        self.faults.append((code, _show(match[0]), match.start()))
        return match[0], match.end()

    def _array(self, at: int, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        at = self._space(at)
        if self.text.startswith("]", at):
            return items, at + 1
        while True:
            value, at = self._value(self._space(at), depth + 1)
            items.append(value)
            at = self._space(at)
            if self.text.startswith("]", at):
                return items, at + 1
            if not self.text.startswith(",", at):
                raise self._broken(at)
            at += 1

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        members: dict[str, Any] = {}
        at = self._space(at)
        if self.text.startswith("}", at):
            return members, at + 1
        while True:
            at = self._member(self._space(at), depth, members)
            at = self._space(at)
            if self.text.startswith("}", at):
                return members, at + 1
            if not self.text.startswith(",", at):
                raise self._broken(at)
            at += 1

    def _member(self, at: int, depth: int, members: dict[str, Any]) -> int:
        if not self.text.startswith('"', at):
            raise self._broken(at)
        name, end = self._string(at + 1)
        if name in members:
            self.faults.append(("duplicate_key", _show(name), at))
        end = self._space(end)
        if not self.text.startswith(":", end):
            raise self._broken(end)
        start = self._space(end + 1)
        members[name], end = self._value(start, depth + 1)
        if depth == 0 and not self.faults:
            self.members[name] = self.text[start:end].encode()
        return end

    def _string(self, at: int) -> tuple[str, int]:
        parts: list[str] = []
        while True:
            match = PLAIN.match(self.text, at)
            end = match.end() if match else at
            parts.append(self.text[at:end])
            stop = self.text[end : end + 1]
            if stop == '"':
                return "".join(parts), end + 1
            if stop == "\\":
                part, at = self._escape(end)
            elif stop:
                part, at = self._control(stop, end), end + 1
            else:
                raise self._broken(end)
            parts.append(part)

    def _control(self, found: str, at: int) -> str:
        if found == "\0":
            self.faults.append(("nul_character", "a raw zero byte", at))
            return REPLACEMENT
        self.faults.append(("control_character", f"U+{ord(found):04X}", at))
        return found

    def _escape(self, at: int) -> tuple[str, int]:
        match = ESCAPED_UNIT.match(self.text, at)
        if match:
            return self._unit(match, at)
        plain = ESCAPES.get(self.text[at + 1 : at + 2])
        if plain is None:
            raise self._broken(at)
        return plain, at + 2

    def _unit(self, match: re.Match[str], at: int) -> tuple[str, int]:
        unit = int(match[1], 16)
        if unit == 0:
            self.faults.append(("nul_character", match[0], at))
            return REPLACEMENT, match.end()
        if not 0xD800 <= unit <= 0xDFFF:  # noqa: PLR2004 - the surrogates of UTF-16
            return chr(unit), match.end()
        low = ESCAPED_UNIT.match(self.text, match.end())
        if unit < 0xDC00 and low and 0xDC00 <= int(low[1], 16) <= 0xDFFF:  # noqa: PLR2004 - high half, then low half
            return chr(0x10000 + ((unit - 0xD800) << 10) + int(low[1], 16) - 0xDC00), low.end()
        self.faults.append(("lone_surrogate", match[0], at))
        return REPLACEMENT, match.end()


def _number_fault(text: str, *, is_integer: bool) -> str | None:
    if is_integer:
        # 19 digits and a sign; Python refuses to read integers of over 4,300 digits.
        fits = len(text) <= 20 and MIN_INTEGER <= int(text) <= MAX_INTEGER  # noqa: PLR2004 - see above
        return None if fits else "integer_out_of_range"
    try:
        write_number(text)
    except ValueError:
        return "number_out_of_range"
    return None


def _show(text: str) -> str:
    shown = text if len(text) <= 40 else text[:40] + "…"  # noqa: PLR2004 - enough to find the place by
    return ascii(shown).replace("'", '"') if "'" not in shown else ascii(shown)
