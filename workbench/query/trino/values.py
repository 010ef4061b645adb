"""Values bound to a statement's markers, as the literals that EXECUTE IMMEDIATE … USING takes."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from workbench.errors import QueryRefusedError


def bind_statement(sql: str, values: Sequence[Any]) -> str:
    """Return a statement with markers and the values for them; without any it is the statement itself."""
    if not values:
        return sql
    return f"EXECUTE IMMEDIATE {quote_text(sql)} USING {', '.join(map(write_value, values))}"


def write_value(value: Any) -> str:  # noqa: PLR0911 - one return for each type
    """Return a value as a literal of the type it is bound with.

    >>> write_value(["it's", None]), write_value(-7), write_value(2.5)
    ("ARRAY['it''s', NULL]", "BIGINT '-7'", "DOUBLE '2.5'")
    """
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)):
        return f"ARRAY[{', '.join(map(write_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"BIGINT '{value}'"
    if isinstance(value, float):
        return _write_double(value)
    if isinstance(value, Decimal):
        return f"DECIMAL '{value:f}'"
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')} UTC'"
    return f"DATE '{value.isoformat()}'" if isinstance(value, date) else quote_text(str(value))


def _write_double(value: float) -> str:
    if math.isnan(value):
        return "nan()"
    if math.isinf(value):
        return "infinity()" if value > 0 else "-infinity()"
    return f"DOUBLE '{value!r}'"


def quote_text(text: str) -> str:
    """Return a text as a literal. Raises QueryRefusedError for one that is no Unicode text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryRefusedError("A text of the statement holds half of a surrogate pair, which no SQL can.") from error
    return "'" + text.replace("'", "''") + "'"
