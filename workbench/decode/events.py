"""Events given in Python to rows of the log."""

import math
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import pyarrow as pa

from workbench.decode import columns as names
from workbench.decode.attributes import SALT
from workbench.decode.canonical import encode_json
from workbench.decode.normalise import MAX_NESTING, MAX_VERSION, RULES, FaultError
from workbench.decode.payloads import ABSENT, Payload, read_payload
from workbench.decode.registry import EMPTY, Registry
from workbench.decode.rows import FIELDS, DecodeContext, Origin, Row, complete
from workbench.decode.times import write_time
from workbench.errors import InvalidEventError
from workbench.event import ACTOR_KINDS, Event

REQUIRED: Final = (names.EVENT_ID, names.STREAM_ID, names.EVENT_TYPE)
OPTIONAL: Final = (names.CORRELATION_ID, names.CAUSATION_ID)


def encode_events(events: Sequence[Event], default_source: str, *, registry: Registry = EMPTY) -> pa.Table:
    """Return the events as rows (columns: `DECODED`; offset is the event's place in the sequence, line is null).

    Raises InvalidEventError naming the event's index, the field and the value.
    """
    rows = []
    for index, event in enumerate(events):
        try:
            rows.append(_read_event(event, index, default_source))
        except FaultError as fault:
            raise _refuse(index, fault.detail, fault.code) from fault
    columns = {name: [getattr(row, name) for row in rows] for name in FIELDS}
    origin = Origin("application/json", [b""] * len(rows), range(len(rows)))
    decoded = complete(columns, DecodeContext(source_name=default_source, registry=registry), origin)
    for rejection in decoded.rejections:
        raise _refuse(rejection.offset, f"data: {rejection.detail}", rejection.reason)
    return decoded.events


def _refuse(index: int, detail: str, code: str) -> InvalidEventError:
    return InvalidEventError(
        f"Event {index} cannot be appended ({code}): {detail}. {RULES[code].remedy} Nothing of the batch was written."
    )


def _read_event(event: Event, index: int, default_source: str) -> Row:
    texts = {name: _text(name, getattr(event, name), required=True) for name in REQUIRED}
    texts |= {name: _text(name, getattr(event, name)) for name in OPTIONAL}
    source = _text(names.SOURCE, event.source if event.source is not None else default_source, required=True)
    actor = event.actor
    kind = actor.kind if actor else None
    if kind not in (None, *ACTOR_KINDS):
        raise _invalid("actor.kind", kind, "one of " + ", ".join(ACTOR_KINDS))
    version = event.schema_version
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= MAX_VERSION:
        raise _invalid("schema_version", version, f"a whole number from 1 to {MAX_VERSION:,}")
    payload = _payload(names.DATA, event.data)
    return Row(
        row=index,
        source=source or "",
        schema_version=version,
        occurred_at=_time(names.OCCURRED_AT, event.occurred_at),
        recorded_at=None if event.recorded_at is None else _time(names.RECORDED_AT, event.recorded_at),
        actor_id=_text("actor.id", actor.id, required=True) if actor else None,
        actor_kind=kind,
        data=payload.text,
        canonical=payload.canonical,
        rest=_rest(event.metadata),
        **texts,  # type: ignore[arg-type]  # the required ones were checked above
    )


def _invalid(name: str, value: Any, wanted: str) -> FaultError:
    return FaultError("invalid_attribute", f"{name} is {ascii(value)[:80]}, not {wanted}")


def _text(name: str, value: Any, *, required: bool = False) -> str | None:
    if value is None and not required:
        return None
    if not isinstance(value, str):
        raise _invalid(name, value, "a string")
    if not value:
        raise FaultError("missing_attribute" if required else "invalid_attribute", f"{name} is empty")
    _check_string(name, value)
    return value


def _check_string(name: str, value: str) -> None:
    if "\0" in value:
        raise FaultError("nul_character", f"{name} is {ascii(value)[:80]}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise FaultError("lone_surrogate", f"{name} is {ascii(value)[:80]}") from error


def _time(name: str, value: Any) -> str:
    if not isinstance(value, datetime):
        raise _invalid(name, value, "a datetime")
    if value.utcoffset() is None:
        raise FaultError("time_without_zone", f"{name} is {value.isoformat()}")
    try:
        return write_time(value)
    except OverflowError as error:
        raise FaultError("malformed_time", f"{name} is {value.isoformat()}, outside the years 1 to 9999") from error


def _payload(name: str, value: Any) -> Payload:
    if value is None:
        return ABSENT
    text = bytes(value) if isinstance(value, msgspec.Raw) else encode_json(_plain(name, value, 0))
    try:
        return read_payload(text)
    except FaultError as fault:
        raise FaultError(fault.code, f"{name}: {fault.detail}") from fault


def _rest(metadata: Any) -> str:
    if not metadata:
        return "}"
    payload = _payload(names.METADATA, dict(metadata))
    if SALT in metadata:
        raise _invalid(names.METADATA, dict(metadata), 'free of "salt", the log\'s own member')
    return (payload.text or b"{}").decode()[1:]


def _plain(name: str, value: Any, depth: int) -> Any:
    """Return the value with its numbers as JSON text; floats by their shortest text, decimals digit by digit."""
    if value is None or isinstance(value, bool | msgspec.Raw):
        return value
    if isinstance(value, str):
        _check_string(name, value)
        return str(value)
    if isinstance(value, int | float | Decimal):
        return _number(name, value)
    if depth >= MAX_NESTING and isinstance(value, dict | list | tuple):
        raise FaultError("nesting_too_deep", f"{name[:80]} has more than {MAX_NESTING} levels")
    if isinstance(value, dict):
        return _members(name, value, depth)
    if isinstance(value, list | tuple):
        return [_plain(f"{name}[{at}]", item, depth + 1) for at, item in enumerate(value)]
    raise _invalid(name, value, "a JSON value")


def _members(name: str, value: dict[Any, Any], depth: int) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str):
            raise _invalid(f"{name}: a name", key, "a string")
        _check_string(f"{name}: a name", key)
    return {str(key): _plain(f"{name}.{key}", item, depth + 1) for key, item in value.items()}


def _number(name: str, value: float | Decimal) -> msgspec.Raw:
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise FaultError("integer_out_of_range", f"{name} has {value.bit_length():,} bits")
        return msgspec.Raw(int.__repr__(value).encode())
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise FaultError("nan_or_infinity", f"{name} is {value}")
    return msgspec.Raw((str(value) if isinstance(value, Decimal) else float.__repr__(value)).encode())


MAX_BITS: Final = 64
