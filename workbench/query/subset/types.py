"""The SQL types of the declared subset, as small values that can be compared and matched against a signature."""

import re
from collections.abc import Sequence

import msgspec
from sqlglot import exp


class Type(msgspec.Struct, frozen=True):
    """A Trino type: ``decimal(10,2)``, ``array(varchar)``, ``row(a bigint)``; ``unknown`` is the type of NULL.

    ``numbers`` are its digits, ``items`` the types inside, ``fields`` a row's names. A timestamptz whose zone is not
    UTC has it as its one field, a name, ``:parameter`` or ``?`` where each value has its own: Trino keeps the zone in
    the value, DuckDB does not.
    """

    name: str
    numbers: tuple[int, ...] = ()
    items: tuple["Type", ...] = ()
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.name == "timestamptz":
            return f"timestamp({self.numbers[0]}) with time zone"
        inner = [str(number) for number in self.numbers]
        inner += [
            f"{field} {item}".strip()
            for field, item in zip(self.fields or ("",) * len(self.items), self.items, strict=True)
        ]
        return f"{self.name}({', '.join(inner)})" if inner else self.name


# The zone of times read from texts, each of which may name another.
EACH_ITS_OWN = "?"
UNKNOWN = Type("unknown")
BOOLEAN = Type("boolean")
INTEGER = Type("integer")
BIGINT = Type("bigint")
DOUBLE = Type("double")
VARCHAR = Type("varchar")
DATE = Type("date")
TIMESTAMPTZ = Type("timestamptz", (6,))
INTERVAL_DAY = Type("interval day to second")
INTERVAL_MONTH = Type("interval year to month")
JSON = Type("json")

FLOATING = ("real", "double")
INTEGERS = ("tinyint", "smallint", "integer", "bigint")
# Digits an integer type can hold: what Trino takes as precision when it meets a decimal.
INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
NUMBERS = (*INTEGERS, "decimal", "real", "double")
INSTANTS = ("date", "timestamp", "timestamptz")
INTERVALS = (INTERVAL_DAY.name, INTERVAL_MONTH.name)
DEFAULT_TIMESTAMP_DIGITS = 3
MOST_TIMESTAMP_DIGITS = 6
MOST_DIGITS = 38

_NAMES = {
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INT": "integer",
    "BIGINT": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double",
    "DECIMAL": "decimal",
    "VARCHAR": "varchar",
    "TEXT": "varchar",
    "VARBINARY": "varbinary",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "JSON": "json",
    "ARRAY": "array",
    "MAP": "map",
    "STRUCT": "row",
    "NULL": "unknown",
}


def parse_type(text: str) -> Type:
    """Return the type a Trino type name stands for, such as ``timestamp(6) with time zone``; KeyError if unknown."""
    return type_of(exp.DataType.build(text, dialect="trino"))


def type_of(data_type: exp.DataType) -> Type:
    """Return the type that a parsed type name stands for; KeyError with its text when it is not in the subset."""
    key = getattr(data_type.this, "name", str(data_type.this))
    if key not in _NAMES:
        raise KeyError(data_type.sql(dialect="trino").lower())
    name = _NAMES[key]
    if name in ("array", "map", "row"):
        return _nested(name, data_type)
    numbers = tuple(int(parameter.name) for parameter in data_type.expressions)
    if name == "decimal":
        return Type(name, (*numbers, 0)[:2] if numbers else (MOST_DIGITS, 0))
    if name in ("timestamp", "timestamptz"):
        return Type(name, numbers or (DEFAULT_TIMESTAMP_DIGITS,))
    return Type(name)


def _nested(name: str, data_type: exp.DataType) -> Type:
    fields = [item for item in data_type.expressions if isinstance(item, exp.ColumnDef)]
    if fields:
        kinds = tuple(type_of(field.args["kind"]) for field in fields)
        return Type(name, items=kinds, fields=tuple(field.name for field in fields))
    return Type(name, items=tuple(type_of(item) for item in data_type.expressions))


def duckdb_type(kind: Type) -> str:
    """Return the DuckDB type that holds the values of a type."""
    if kind.name == "array":
        return f"{duckdb_type(kind.items[0])}[]"
    if kind.name == "map":
        return f"MAP({duckdb_type(kind.items[0])}, {duckdb_type(kind.items[1])})"
    if kind.name == "row":
        names = kind.fields or tuple(f"field{index}" for index in range(len(kind.items)))
        quoted = [name.replace('"', '""') for name in names]
        inner = (f'"{name}" {duckdb_type(item)}' for name, item in zip(quoted, kind.items, strict=True))
        return f"STRUCT({', '.join(inner)})"
    if kind.name == "decimal":
        return f"DECIMAL({kind.numbers[0]}, {kind.numbers[1]})"
    return {
        "timestamptz": "TIMESTAMP WITH TIME ZONE",
        "varbinary": "BLOB",
        "unknown": "INTEGER",
        "real": "REAL",
    }.get(kind.name, kind.name.upper() if kind.name not in INTERVALS else "INTERVAL")


def common_type(kinds: Sequence[Type]) -> Type | None:
    """Return the type all of them can be coerced to, by Trino's rules, or None when there is none."""
    result = UNKNOWN
    for kind in kinds:
        joined = _common(result, kind)
        if joined is None:
            return None
        result = joined
    return result


def _common(left: Type, right: Type) -> Type | None:  # noqa: PLR0911 - one return for each pair of kinds
    if left == right or right.name == "unknown":
        return left
    if left.name == "unknown":
        return right
    if left.name in NUMBERS and right.name in NUMBERS:
        return _common_number(left, right)
    if left.name in INSTANTS and right.name in INSTANTS:
        if left.fields != right.fields and left.name == right.name:
            return None
        name = max(left.name, right.name, key=INSTANTS.index)
        zone = left.fields or right.fields
        return Type(name, (max((*left.numbers, *right.numbers)),), fields=zone)
    if left.name == right.name and left.items and len(left.items) == len(right.items):
        joined = [_common(one, other) for one, other in zip(left.items, right.items, strict=True)]
        found = tuple(item for item in joined if item is not None)
        return Type(left.name, items=found, fields=left.fields) if len(found) == len(joined) else None
    return None


def _common_number(left: Type, right: Type) -> Type:
    names = (left.name, right.name)
    for name in ("double", "real"):
        if name in names:
            return Type(name)
    if "decimal" in names:
        one, other = as_decimal(left), as_decimal(right)
        scale = max(one[1], other[1])
        digits = max(one[0] - one[1], other[0] - other[1]) + scale
        return Type("decimal", (min(MOST_DIGITS, digits), scale))
    return Type(max(names, key=INTEGERS.index))


def as_decimal(kind: Type) -> tuple[int, int]:
    """Return precision and scale of a decimal, or of the decimal Trino makes of an integer."""
    if kind.name == "decimal":
        return kind.numbers[0], kind.numbers[1]
    return INTEGER_DIGITS[kind.name], 0


_FAMILIES: dict[str, tuple[str, ...]] = {
    "integers": INTEGERS,
    "bigint": INTEGERS,
    "integer": INTEGERS,
    "number": NUMBERS,
    "double": NUMBERS,
    "exact": (*INTEGERS, "decimal"),
    "floating": ("real", "double"),
    "instant": INSTANTS,
    "moment": ("timestamp", "timestamptz"),
}
_PATTERN = re.compile(r"(?P<name>\w+)(?:\((?P<inner>.*)\))?$")


def match_type(pattern: str, kind: Type, bound: dict[str, Type]) -> bool:
    """Say whether a type fits a pattern such as ``array(T)``, binding one-letter names to what they stand for."""
    found = _PATTERN.match(pattern)
    if found is None:
        return pattern == "*"
    name, inner = found["name"], found["inner"]
    if len(name) == 1:
        joined = common_type([bound.get(name, UNKNOWN), kind])
        if joined is not None:
            bound[name] = joined
        return joined is not None
    if kind.name == "unknown" or name == "any":
        return True
    if inner is None:
        return kind.name in _FAMILIES.get(name, (name,))
    parts = split_list(inner)
    return (
        kind.name == name
        and len(parts) == len(kind.items)
        and all(match_type(part, item, bound) for part, item in zip(parts, kind.items, strict=True))
    )


def fill_type(pattern: str, bound: dict[str, Type]) -> Type:
    """Return the type a result pattern stands for, once its names are bound."""
    found = _PATTERN.match(pattern)
    if found is not None and pattern in bound:
        return bound[pattern]
    if found is not None and found["inner"] and found["name"] in ("array", "map"):
        return Type(found["name"], items=tuple(fill_type(part, bound) for part in split_list(found["inner"])))
    return UNKNOWN if len(pattern) == 1 else parse_type(pattern.replace("_", " "))


def split_list(text: str) -> list[str]:
    """Return the parts between the commas of the outermost level."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
