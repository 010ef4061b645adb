"""The one rule set of what a record may be: I-JSON (RFC 7493) with our limits, each rule with its code and remedy."""

from typing import Final

import msgspec

from workbench.event import Rejection

MAX_NESTING: Final = 128
MAX_PAYLOAD: Final = 1 << 20
MIN_INTEGER: Final = -(1 << 63)
MAX_INTEGER: Final = (1 << 63) - 1
MAX_VERSION: Final = (1 << 31) - 1


class Rule(msgspec.Struct, frozen=True):
    """One reason to refuse a record: its code, what was found in it, and what would make it valid."""

    code: str
    found: str
    remedy: str


RULES: Final[dict[str, Rule]] = {
    rule.code: rule
    for rule in (
        Rule("empty_record", "nothing but white space", "Leave the record out, or write an event in it."),
        Rule("byte_order_mark", "a byte order mark before the text", "Write UTF-8 without a byte order mark."),
        Rule("not_utf8", "bytes that are not UTF-8", "Encode the record as UTF-8."),
        Rule("lone_surrogate", "half of a surrogate pair", "Write the whole character, or U+FFFD in its place."),
        Rule("malformed_json", "text that is not JSON", "Write the record as one JSON value (RFC 8259)."),
        Rule("trailing_data", "text after the end of the value", "Write one JSON value a record, one record a line."),
        Rule("control_character", "a raw control character in a string", "Escape it, such as \\t or \\u0009."),
        Rule("nul_character", "the character U+0000 in a string", "Leave it out, or write U+FFFD in its place."),
        Rule("duplicate_key", "a name that appears twice in one object", "Keep one of the members."),
        Rule("nan_or_infinity", "a number that JSON does not have", "Write null, or the word as a string."),
        Rule(
            "integer_out_of_range",
            "an integer that does not fit into 64 bits with a sign",
            "Write the number as a string.",
        ),
        Rule(
            "number_out_of_range",
            "a number that becomes infinite or zero as a 64-bit float",
            "Write the number as a string.",
        ),
        Rule("nesting_too_deep", f"a payload nested over {MAX_NESTING} levels", "Flatten the payload."),
        Rule(
            "payload_too_large",
            f"a payload of more than {MAX_PAYLOAD:,} bytes",
            "Store the large part elsewhere and refer to it.",
        ),
        Rule("not_an_object", "a value that is not an object", "Write the event as a JSON object."),
        Rule("missing_attribute", "a required attribute that is absent or empty", "Give the attribute a value."),
        Rule("invalid_attribute", "an attribute of the wrong kind", "Give the attribute a value of the kind named."),
        Rule("unsupported_specversion", "a CloudEvents version other than 1.0", "Write the event in CloudEvents 1.0."),
        Rule("binary_data", "a payload in base64", "Write the payload as JSON in the attribute data."),
        Rule("malformed_time", "a time that is not RFC 3339", "Write the time as 2026-01-31T12:00:00.000000Z."),
        Rule("time_without_zone", "a time without a zone", "Add Z or an offset such as +01:00."),
        Rule("time_too_fine", "a time finer than a microsecond", "Write the time with at most six digits."),
        Rule("leap_second", "a leap second, which no clock of the log can hold", "Write the second before it."),
        Rule(
            "malformed_row", "a row that is no record of its source", "Mend the row in the source, and ingest it again."
        ),
        Rule(
            "unknown_media_type",
            "a record that cannot be read without its source",
            "Ingest the source again; what is known already is not doubled.",
        ),
        Rule("schema_mismatch", "a payload that its schema does not allow", "Mend the payload, or the schema."),
    )
}


class FaultError(Exception):
    """A rule was broken; never leaves this package. ``repaired`` is the whole record as it would be accepted."""

    def __init__(self, code: str, detail: str, *, at: int | None = None, repaired: bytes | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail if at is None else f"{detail}, at byte {at} of the record"
        self.at = at
        self.repaired = repaired


class Placed(msgspec.Struct, frozen=True):
    """Where a record stood: its bytes, their offset in the source, its kind, and its line."""

    raw: bytes
    offset: int
    media_type: str
    line: int | None = None


# The media type's parameter that keeps the index in its stream of a refused record without an id.
INDEX: Final = "; index="


def reject(placed: Placed, fault: FaultError, *, index: int = 0, mapped: bytes | None = None) -> Rejection:
    """Return the rejection of one record for the rule it broke; ``mapped`` is what a mapping had made of it."""
    return Rejection(
        raw=placed.raw,
        offset=placed.offset,
        media_type=f"{placed.media_type}{INDEX}{index}" if index else placed.media_type,
        line=placed.line,
        reason=fault.code,
        detail=f"{RULES[fault.code].found}: {fault.detail}",
        remedy=RULES[fault.code].remedy,
        repaired=fault.repaired,
        mapped=mapped,
    )
