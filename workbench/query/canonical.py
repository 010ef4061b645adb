"""One answer, one hash: the rows of a frame as RFC 8785 JSON lines, whichever engine gave them."""

import base64
import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from workbench.decode.canonical import write_canonical, write_number


def hash_rows(rows: pl.DataFrame) -> str:
    r"""Return the SHA-256 of the rows in the order they stand in.

    Each row is an RFC 8785 object by column name and ends in a line feed. Decimals are strings as they are, times are
    UTC with six digits, bytes are base64, and a float that no JSON has (NaN, infinity) is its name as a string.

    >>> hash_rows(pl.DataFrame({"n": [1]})) == hashlib.sha256(b'{"n":1}\n').hexdigest()
    True
    """
    digest = hashlib.sha256()
    for row in rows.iter_rows(named=True):
        digest.update(write_canonical({name: _value(value) for name, value in row.items()}))
        digest.update(b"\n")
    return digest.hexdigest()


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _value(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_value(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float):
        return msgspec.Raw(write_number(repr(value))) if value - value == 0 else str(value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        return moment.isoformat(timespec="microseconds") + ("" if value.tzinfo is None else "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value) if isinstance(value, Decimal | date) else value
