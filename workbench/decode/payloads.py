"""Columns of JSON texts, checked and made canonical in bulk."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from workbench.decode.canonical import (
    FORMS,
    decode_canonical,
    encode_json,
    encode_sorted,
    has_wide_integer,
    needs_utf16_order,
    order_members,
)
from workbench.decode.normalise import MAX_NESTING, MAX_PAYLOAD, FaultError
from workbench.decode.scan import scan_json

# One pass of translate and find over a whole chunk costs 1 ns a byte and finds the rare numbers worth a look.
DIGITS_ALIKE: Final = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))  # noqa: PLR2004 - "0" to "9"
LONG_NUMBER: Final = b"0" * 19
NUL: Final = b"\\u0000"
# Escapes of this beginning may stand for a colon, which would hide a dropped name.
MAYBE_COLON: Final = b"\\u003"
# A text with more levels than allowed has at least that many opening and as many closing brackets.
SHALLOW: Final = 2 * MAX_NESTING
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class Payload(msgspec.Struct, frozen=True, gc=False):
    """One payload: its compact text with numbers as written, and its canonical text; both None for JSON's null."""

    text: bytes | None
    canonical: msgspec.Raw | None


class Payloads(msgspec.Struct, gc=False):
    """A column of payloads, and the rows that the strict scanner must decide on."""

    texts: list[bytes | None]
    canonicals: list[msgspec.Raw | None]
    strays: list[int]


ABSENT: Final = Payload(None, None)


def read_payloads(raws: Sequence[bytes | None]) -> Payloads:
    """Return the payloads of a column; a row among ``strays`` may break a rule, and `read_payload` decides on it.

    msgspec refuses whatever is not JSON but drops a duplicate name silently. The canonical text shows it: it has the
    text's very length when nothing was dropped, as no string and no number without an exponent gets longer by being
    canonical; else it has fewer colons (10 ns where counting costs 180). Where a number did get longer, or an escape
    may hide a colon, more is checked. A column that is plain throughout is read without a look at single rows.
    """
    texts, forms, broken = write_forms([b"null" if raw is None else raw for raw in raws] if None in raws else [*raws])
    canonicals: list[Any] = [*map(msgspec.Raw, forms)]
    if b"null" in forms:
        for row, form in enumerate(forms):
            if form == b"null":
                texts[row] = canonicals[row] = None
    return Payloads(texts, canonicals, broken)


def write_forms(texts: list[Any]) -> tuple[list[Any], list[bytes], list[int]]:
    """Return the texts, compact, their canonical forms, and the rows that may break a rule, as `read_payloads` does."""
    values, forms, broken = _read_values(texts)
    whole = b"\n".join(texts)
    suspicion = Suspicion(whole)
    rows: Iterable[int]
    if suspicion.is_any or FORMS.longer or max(map(len, forms), default=0) > SHALLOW:
        rows = range(len(texts))
    elif not broken and len(whole) == sum(map(len, forms)) + len(forms) - 1:
        rows = ()  # no form is longer than its text, so each is as long as its own
    else:
        pairs = zip(map(len, texts), map(len, forms), strict=True)
        rows = [row for row, (length, canonical_length) in enumerate(pairs) if length != canonical_length]
    broken += [row for row in rows if suspicion.settle(row, values, texts, forms)]
    return texts, forms, broken


def _read_values(texts: list[Any]) -> tuple[list[Any], list[bytes], list[int]]:
    """Return the values, their canonical texts and the rows that are not JSON (null there)."""
    try:
        values = [*map(decode_canonical, texts)]
        return values, [*map(encode_sorted, values)], []
    except UNREADABLE:
        values, broken = [], []
    for row, text in enumerate(texts):
        try:
            values.append(decode_canonical(text))
        except UNREADABLE:
            values.append(None)
            broken.append(row)
    return values, [*map(encode_sorted, values)], broken


class Suspicion:
    """What a whole chunk was found to hold, so that single rows are looked at only where it does."""

    def __init__(self, whole: bytes) -> None:
        self.is_long = has_long_number(whole)
        self.has_nul = NUL in whole
        self.is_any = self.is_long or self.has_nul or needs_utf16_order(whole)

    def settle(self, row: int, values: list[Any], texts: list[Any], forms: list[bytes]) -> bool:
        """Compact the row's text and order its canonical one in place; tell whether it may break a rule."""
        form, raw = forms[row], texts[row]
        is_doubtful = (self.has_nul and NUL in raw) or (len(raw) > SHALLOW and is_heavy(raw))
        if len(form) != len(raw) or FORMS.longer:
            text = texts[row] = msgspec.json.format(raw, indent=-1) if form != b"null" else raw
            is_same = len(text) == len(form) and not FORMS.longer
            is_doubtful |= not is_same and (form.count(b":") != raw.count(b":") or MAYBE_COLON in raw)
        if needs_utf16_order(form):
            forms[row] = encode_json(order_members(values[row]))
        return is_doubtful or (self.is_long and has_long_number(raw) and has_wide_integer(values[row]))


def has_long_number(text: bytes) -> bool:
    """Tell whether 19 digits stand in a row anywhere, as in every integer beyond 64 bits."""
    return LONG_NUMBER in text.translate(DIGITS_ALIKE)


def is_heavy(text: bytes) -> bool:
    """Tell whether the text may be nested too deep or be too large; yes too often rather than too seldom."""
    return len(text) > MAX_PAYLOAD or text.count(b"{") + text.count(b"[") > MAX_NESTING


def read_payload(raw: bytes) -> Payload:
    """Return one payload, scanned strictly; raises FaultError for the rule it breaks."""
    check_size(raw)
    scan_json(raw)
    return settle_payload(raw)


def check_size(raw: bytes) -> None:
    """Raise FaultError when the payload is too large without its white space.

    This comes before every other rule, so that no time goes into scanning what is refused anyway; a text that is not
    JSON passes, to be refused for that.
    """
    if len(raw) <= MAX_PAYLOAD:
        return
    try:
        size = len(msgspec.json.format(raw, indent=-1))
    except UNREADABLE:
        return
    if size > MAX_PAYLOAD:
        raise FaultError("payload_too_large", f"{size:,} bytes")


def settle_payload(raw: bytes) -> Payload:
    """Return a payload whose text is known to keep every rule."""
    text = msgspec.json.format(raw, indent=-1)
    if text == b"null":
        return ABSENT
    value = decode_canonical(text)
    form = encode_sorted(value)
    return Payload(text, msgspec.Raw(encode_json(order_members(value)) if needs_utf16_order(form) else form))
