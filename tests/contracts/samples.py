"""Values of every type a function takes, the awkward ones among them, and what is made of them: seeded expressions."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Final

from workbench.query.subset.functions import Signature, list_functions

SEED: Final = 2026
MOST: Final = 7
VALUES: Final[dict[str, Sequence[str]]] = {
    "boolean": ("cast(null as boolean)", "true", "false"),
    "integer": ("cast(null as integer)", "0", "1", "-1", "3", "2147483647"),
    "bigint": ("cast(null as bigint)", "0", "1", "-1", "2", "-7", "9223372036854775807"),
    "double": ("cast(null as double)", "0e0", "-0e0", "1.5e0", "-2.5e0", "1e15", "1e300", "(0e0/0e0)", "(1e0/0e0)"),
    "real": ("cast(1.5 as real)", "cast(null as real)", "cast(-0.1 as real)"),
    "decimal": ("cast(null as decimal(10,2))", "1.50", "-2.55", "0.00", "12345678901234567890.12"),
    "varchar": ("cast(null as varchar)", "''", "'abc'", "'aXbXc'", "'é😀'", "' a b '", "'a,b,,c'", "'ABC ß'", "'12'"),
    "varbinary": ("to_utf8('abc')", "to_utf8('')", "cast(null as varbinary)"),
    "date": ("cast(null as date)", "date '2026-01-31'", "date '2024-02-29'", "date '1969-12-31'", "date '2026-12-31'"),
    "timestamp": (
        "cast(null as timestamp(6))",
        "timestamp '2026-01-31 23:59:59.999999'",
        "timestamp '1969-12-31 23:00:00.5'",
        "timestamp '2026-03-29 02:30:00.123'",
    ),
    "timestamptz": (
        "cast(null as timestamp(6) with time zone)",
        "timestamp '2026-01-31 23:59:59.999999 UTC'",
        "timestamp '1969-12-31 23:00:00.5 UTC'",
        "timestamp '2026-10-25 00:30:00 Europe/Berlin'",
        "at_timezone(timestamp '2026-10-25 01:30:00.25 UTC', 'Europe/Berlin')",
        "at_timezone(timestamp '2026-03-29 01:30:00 UTC', 'America/New_York')",
    ),
    "json": (
        "cast(null as json)",
        """json_parse('{"b":1,"a":[1,2.50,{"x":null}]}')""",
        "json_parse('[]')",
        """json_parse('"t"')""",
        "json_parse('1e2')",
        "json_parse('null')",
        "json_parse('{}')",
    ),
    "json text": (
        """'{"a":{"b":1},"l":[1,2],"s":"t","n":null}'""",
        """'[1,"x"]'""",
        "'nope'",
        "''",
        "cast(null as varchar)",
        """'{"a":[1,2.50,{"x":1e5}],"b":12345678901234567890}'""",
    ),
    "array": (
        "array[1, null, 3]",
        "cast(array[] as array(bigint))",
        "array[3, 1, 2, 1]",
        "cast(null as array(bigint))",
    ),
    "texts": ("array['b', 'a', null, 'b']", "array['x']", "cast(null as array(varchar))"),
    "arrays": ("array[array[1, 2], array[3]]", "array[array[1], null]"),
    "map": ("map(array['a', 'b'], array[1, null])", "cast(null as map(varchar, bigint))"),
    "lambda": ("x -> x > 1", "x -> x is null"),
}
FAMILIES: Final[dict[str, Sequence[str]]] = {
    "integers": ("integer", "bigint"),
    "number": ("bigint", "double", "decimal", "real"),
    "exact": ("bigint", "decimal"),
    "floating": ("double", "real"),
    "instant": ("date", "timestamp", "timestamptz"),
    "moment": ("timestamp", "timestamptz"),
    "any": ("bigint", "varchar"),
    **dict.fromkeys(("T", "U", "V"), ("bigint",)),
    "K": ("varchar",),
    "array(T)": ("array",),
    "array(K)": ("texts",),
    "array(V)": ("array",),
    "array(varchar)": ("texts",),
    "array(array(T))": ("arrays",),
    "map(K,V)": ("map",),
    "lambda(T)": ("lambda",),
}
# Arguments that must stand in the statement, or that few values fit: by function and place.
_UNITS: Final = tuple(
    f"'{unit}'" for unit in ("millisecond", "second", "hour", "day", "week", "month", "quarter", "year")
)
_PATTERNS: Final = ("'b'", "'[a-c]'", "'(a)(b)?'", "'x+'")
_PATHS: Final = ("'$'", "'$.a'", "'$.a[1]'", "'$.a[2].x'", "'$.b'", "'$[0]'")
_ZONES: Final = ("'UTC'", "'Europe/Berlin'", "'Asia/Kolkata'")
_SIZES: Final = ("0", "2", "6", "cast(null as bigint)")
_ISO: Final = (
    "'2026-01-31T10:00:00.123456Z'",
    "'2026-01-31'",
    "'2026-01-31T10:15+02:00'",
    "''",
    "cast(null as varchar)",
)
PLACES: Final[dict[tuple[str, int], Sequence[str]]] = {
    **{(name, 0): _UNITS for name in ("date_trunc", "date_diff", "date_add")},
    **{(name, 1): _ZONES for name in ("at_timezone", "with_timezone")},
    **{(name, 1): _PATHS for name in ("json_extract", "json_extract_scalar", "json_size")},
    **{(name, 1): _PATTERNS for name in list_functions() if name.startswith("regexp_")},
    **{(name, 2): ("0",) for name in ("regexp_extract", "regexp_extract_all")},
    ("regexp_replace", 2): ("'-'", "'$0'"),
    **{(name, 1): _SIZES for name in ("lpad", "rpad", "repeat")},
    ("date_add", 1): ("0", "1", "-3", "cast(null as bigint)"),
    ("date_format", 1): ("'%Y-%m-%d %H:%i:%s.%f %a %b %e %j %p'", "'%y %c %k %l %h %I %M %W %r %T %v %x'"),
    ("format_datetime", 1): ("'yyyy-MM-dd HH:mm:ss.SSS'", "'yy M d H h a EEE EEEE MMM MMMM'", "'xxxx ww e DDD'"),
    ("from_iso8601_timestamp", 0): _ISO,
    ("from_iso8601_date", 0): ("'2026-01-31'", "'2026-02-30'", "''", "cast(null as varchar)"),
    ("from_hex", 0): ("'C3A9'", "'c3a9'", "''", "'F'", "cast(null as varchar)"),
    ("from_unixtime", 0): ("0e0", "1.5e0", "-1.0005e0", "1234567890.123456e0", "cast(null as double)"),
    ("substr", 2): ("0", "1", "3", "-1", "cast(null as bigint)"),
    ("substring", 2): ("0", "1", "3", "-1", "cast(null as bigint)"),
    ("chr", 0): ("65", "233", "128512", "cast(null as bigint)"),
    ("codepoint", 0): ("'a'", "'é'"),
    ("sequence", 0): ("1", "5", "-2"),
    ("sequence", 1): ("1", "5", "-2"),
    ("sequence", 2): ("2", "-1", "0"),
    ("date", 0): (*VALUES["date"], *VALUES["timestamptz"][1:3], "'2026-01-31'", "' +2026-1-3 '", "'2026-02-30'", "''"),
}
_JSON_TEXTS: Final = ("json_extract", "json_extract_scalar", "json_size", "json_array_length", "is_json_scalar")


def write_calls(signature: Signature) -> list[str]:
    """Return calls of one function with values of each type it takes, the same ones at every run."""
    chosen: list[str] = []
    for count in range(max(1, len(signature.arguments) - signature.optional), len(signature.arguments) + 1):
        places = [_values(signature, place) for place in range(count)]
        calls = [f"{signature.name}({', '.join(values)})" for values in itertools.product(*places)]
        source = random.Random(f"{SEED} {signature} {count}")  # noqa: S311 - the same calls at every run
        chosen += source.sample(calls, min(MOST, len(calls)))
    return chosen


def _values(signature: Signature, place: int) -> Sequence[str]:
    if (signature.name, place) in PLACES:
        return PLACES[signature.name, place]
    pattern = signature.arguments[place].rpartition(":")[2]
    if pattern == "varchar" and signature.name in _JSON_TEXTS:
        return VALUES["json text"]
    return [value for family in FAMILIES.get(pattern, (pattern,)) for value in VALUES[family]]


def scalar_signatures() -> Iterator[Signature]:
    """Return every signature of a scalar function that takes something."""
    for signatures in list_functions().values():
        yield from (one for one in signatures if one.kind == "scalar" and one.arguments)


TEXTS: Final = (
    *(
        "''",
        "' 12'",
        "'+12'",
        "'1.5'",
        "' 1.5 '",
        "'1e2'",
        "'1_0'",
        "'99999999999999999999'",
        "'NaN'",
        "'TRUE'",
        "'yes'",
    ),
    *("'0'", "' 2026-01-31'", "'2026-1-3'", "'2026-02-30'", "'+2026-01-31'", "'2026-01-31 10:00'", "'2026-01-31 UTC'"),
    *("'2026-01-31 10:00:00.1234567'", "'2026-01-31T10:00:00'", "'2026-01-31 10:00:00 +02:00'", "'2026-01-31 10:00 Z'"),
    *(
        "'2026-01-31 10:00:00.5 Europe/Berlin'",
        "'2026-01-31 25:00:00'",
        "'\uff11\uff12'",
        "'-Infinity'",
        "'1.'",
        "'.5'",
        "'-'",
        "'1,5'",
    ),
)
KINDS: Final = ("bigint", "double", "decimal(10,2)", "boolean", "date", "timestamp(3)", "timestamp(6) with time zone")
NUMBER_KINDS: Final = ("bigint", "integer", "double", "real", "decimal(10,2)", "decimal(38,0)", "boolean", "varchar")
TIME_KINDS: Final = ("date", "timestamp(0)", "timestamp(3)", "timestamp(6)", "timestamp(6) with time zone", "varchar")
JSON_KINDS: Final = (
    *("bigint", "double", "boolean", "varchar", "decimal(10,2)", "array(json)", "array(bigint)"),
    *("map(varchar, json)", "map(varchar, bigint)"),
)
SIGNS: Final = ("+", "-", "*", "/", "%", "=", "<>", "<", "<=", "is distinct from")
STEPS: Final = tuple(f"interval {step}" for step in ("'1' day", "'1' month", "'-3' hour", "'2' year", "'90' minute"))


def write_operations() -> dict[str, list[str]]:
    """Return casts and operators over the values, by what they are about."""
    numbers = [value for kind in ("integer", "bigint", "double", "real", "decimal") for value in VALUES[kind]]
    times = [value for kind in ("date", "timestamp", "timestamptz") for value in VALUES[kind]]
    groups = {f"texts as {kind}": [f"try_cast({text} as {kind})" for text in TEXTS] for kind in KINDS}
    groups |= {f"numbers as {kind}": [f"try_cast({value} as {kind})" for value in numbers] for kind in NUMBER_KINDS}
    groups |= {f"times as {kind}": [f"try_cast({value} as {kind})" for value in times] for kind in TIME_KINDS}
    groups |= {f"JSON as {kind}": [f"try_cast({value} as {kind})" for value in VALUES["json"]] for kind in JSON_KINDS}
    pairs = list(itertools.product(numbers, repeat=2))
    for sign in SIGNS:
        source = random.Random(f"{SEED} {sign}")  # noqa: S311 - the same pairs at every run
        groups[f"numbers {sign}"] = [f"{one} {sign} {other}" for one, other in source.sample(pairs, 12)]
        compared = sign in SIGNS[5:]
        groups[f"times {sign}"] = [
            f"{one} {sign} {other}"
            for one, other in source.sample(list(itertools.product(times, times if compared else STEPS)), 10)
            if compared or sign in "+-"
        ]
    return {name: calls for name, calls in groups.items() if calls}
