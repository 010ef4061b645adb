"""The functions of the declared subset, as data: one line a signature, in the words of Trino's documentation.

``name(arguments) -> result = target``: arguments and result are types or families of types (``number``, ``instant``,
``exact``), a single capital stands for any one type, ``[…]`` may be left out, ``…`` repeats the last. Without a target
DuckDB has the function under the same name and the same meaning; a target with ``wb_`` is a macro of macros.sql, one
with ``@`` a rewrite of rewrites.py. Everything else is refused by name.
"""

import functools
import re
from typing import Final, Literal

import msgspec

from workbench.query.subset.types import Type, fill_type, match_type, split_list

Kind = Literal["scalar", "aggregate", "window"]

SCALAR: Final = """
coalesce(T, T…) -> T
nullif(T, T) -> T
greatest(T, T…) -> T = @greatest
least(T, T…) -> T = @greatest
abs(N:number) -> N
ceil(F:floating) -> F
ceiling(F:floating) -> F = ceil
floor(F:floating) -> F
ceil(I:integers) -> I = wb_same
ceiling(I:integers) -> I = wb_same
floor(I:integers) -> I = wb_same
ceil(D:decimal) -> D = @whole
ceiling(D:decimal) -> D = @whole
floor(D:decimal) -> D = @whole
round(F:floating) -> F = wb_round
round(F:floating, integer) -> F = wb_round_to
round(I:integers) -> I = wb_same
sign(I:integers) -> I
sign(F:floating) -> F = wb_sign_double
sqrt(double) -> double
mod(I:integers, I:integers) -> I = wb_mod
truncate(F:floating) -> F = trunc
width_bucket(double, double, double, bigint) -> bigint = wb_width_bucket
is_nan(double) -> boolean = isnan
is_finite(double) -> boolean = isfinite
is_infinite(double) -> boolean = isinf
bitwise_and(bigint, bigint) -> bigint = wb_bitwise_and
bitwise_or(bigint, bigint) -> bigint = wb_bitwise_or
bitwise_xor(bigint, bigint) -> bigint = xor
length(varchar) -> bigint
lower(varchar) -> varchar
upper(varchar) -> varchar = wb_upper
concat(varchar, varchar…) -> varchar = @concat
concat_ws(varchar, varchar…) -> varchar
substr(varchar, bigint, [bigint]) -> varchar = @substr
substring(varchar, bigint, [bigint]) -> varchar = @substr
replace(varchar, varchar, [varchar]) -> varchar = @replace
reverse(varchar) -> varchar = wb_reverse
strpos(varchar, varchar) -> bigint
starts_with(varchar, varchar) -> boolean
lpad(varchar, bigint, varchar) -> varchar = wb_lpad
rpad(varchar, bigint, varchar) -> varchar = wb_rpad
trim(varchar) -> varchar = wb_trim
ltrim(varchar) -> varchar = wb_ltrim
rtrim(varchar) -> varchar = wb_rtrim
split(varchar, varchar) -> array(varchar) = wb_split
split_part(varchar, varchar, bigint) -> varchar = wb_split_part
translate(varchar, varchar, varchar) -> varchar
chr(bigint) -> varchar = wb_chr
codepoint(varchar) -> integer = wb_codepoint
levenshtein_distance(varchar, varchar) -> bigint = wb_levenshtein
to_utf8(varchar) -> varbinary = encode
to_hex(varbinary) -> varchar = hex
from_hex(varchar) -> varbinary = wb_unhex
md5(varbinary) -> varbinary = wb_md5
sha256(varbinary) -> varbinary = wb_sha256
regexp_like(varchar, varchar) -> boolean = @regexp_like
regexp_extract(varchar, varchar, [bigint]) -> varchar = @regexp_extract
regexp_extract_all(varchar, varchar, [bigint]) -> array(varchar) = @regexp_extract_all
regexp_replace(varchar, varchar, [varchar]) -> varchar = @regexp_replace
regexp_count(varchar, varchar) -> bigint = @regexp_count
regexp_split(varchar, varchar) -> array(varchar) = @regexp_split
date(instant) -> date = @to_date
date(varchar) -> date = @to_date
date_trunc(varchar, I:instant) -> I = @date_trunc
date_diff(varchar, instant, instant) -> bigint = @date_diff
date_add(varchar, bigint, I:instant) -> I = @date_add
year(instant) -> bigint = @date_part
quarter(instant) -> bigint = @date_part
month(instant) -> bigint = @date_part
week(instant) -> bigint = @date_part
week_of_year(instant) -> bigint = @date_part
year_of_week(instant) -> bigint = @date_part
yow(instant) -> bigint = @date_part
day(instant) -> bigint = @date_part
day_of_month(instant) -> bigint = @date_part
day_of_week(instant) -> bigint = @date_part
dow(instant) -> bigint = @date_part
day_of_year(instant) -> bigint = @date_part
doy(instant) -> bigint = @date_part
hour(moment) -> bigint = @date_part
minute(moment) -> bigint = @date_part
second(moment) -> bigint = @date_part
millisecond(moment) -> bigint = @date_part
last_day_of_month(instant) -> date = @last_day
from_unixtime(double) -> timestamp(3)_with_time_zone = wb_from_unixtime
to_unixtime(moment) -> double = wb_to_unixtime
from_iso8601_timestamp(varchar) -> timestamp(3)_with_time_zone = wb_from_iso8601_timestamp
from_iso8601_date(varchar) -> date = wb_from_iso8601_date
at_timezone(Z:timestamptz, varchar) -> Z = @at_timezone
with_timezone(timestamp, varchar) -> timestamp(6)_with_time_zone = @with_timezone
date_format(instant, varchar) -> varchar = @date_format
format_datetime(instant, varchar) -> varchar = @format_datetime
json_extract_scalar(json, varchar) -> varchar = @json_extract_scalar
json_extract_scalar(varchar, varchar) -> varchar = @json_extract_scalar
json_extract(json, varchar) -> json = @json_extract
json_extract(varchar, varchar) -> json = @json_extract
json_array_length(json) -> bigint = wb_value_length
json_array_length(varchar) -> bigint = wb_json_array_length
json_size(json, varchar) -> bigint = @json_size
json_size(varchar, varchar) -> bigint = @json_size
json_parse(varchar) -> json = wb_json_parse
json_format(json) -> varchar = wb_json_format
is_json_scalar(json) -> boolean = wb_is_json_scalar
is_json_scalar(varchar) -> boolean = wb_is_json_scalar
row(…) -> row = @row
cardinality(array(T)) -> bigint = len
cardinality(map(K,V)) -> bigint = cardinality
contains(array(T), T) -> boolean = wb_contains
element_at(array(T), bigint) -> T = wb_element_at
element_at(map(K,V), K) -> V = wb_map_at
array_distinct(array(T)) -> array(T) = wb_array_distinct
array_join(array(varchar), varchar, [varchar]) -> varchar = @array_join
array_max(array(T)) -> T = wb_array_max
array_min(array(T)) -> T = wb_array_min
array_position(array(T), T) -> bigint = wb_array_position
array_remove(array(T), T) -> array(T) = wb_array_remove
array_sort(array(T)) -> array(T) = wb_array_sort
arrays_overlap(array(T), array(T)) -> boolean = wb_arrays_overlap
concat(array(T), array(T)…) -> array(T) = @concat
flatten(array(array(T))) -> array(T) = wb_flatten
reverse(array(T)) -> array(T) = list_reverse
repeat(T, bigint) -> array(T) = wb_repeat
sequence(bigint, bigint, [bigint]) -> array(bigint) = @sequence
slice(array(T), bigint, bigint) -> array(T) = wb_slice
transform(array(T), lambda(T)) -> array(L) = list_transform
filter(array(T), lambda(T)) -> array(T) = list_filter
any_match(array(T), lambda(T)) -> boolean = @any_match
all_match(array(T), lambda(T)) -> boolean = @all_match
none_match(array(T), lambda(T)) -> boolean = @none_match
map() -> map = wb_empty_map
map(array(K), array(V)) -> map(K,V) = wb_map
map_keys(map(K,V)) -> array(K)
map_values(map(K,V)) -> array(V)
"""

AGGREGATE: Final = """
count(*) -> bigint
count() -> bigint
count(T) -> bigint
count_if(boolean) -> bigint = @count_if
sum(integers) -> bigint = @sum
sum(D:decimal) -> D = @sum
sum(floating) -> double = @sum
avg(integers) -> double = @avg
avg(D:decimal) -> D = @avg
avg(floating) -> double = @avg
min(T) -> T
max(T) -> T
min_by(T, U) -> T = arg_min_null
max_by(T, U) -> T = arg_max_null
array_agg(T) -> array(T) = @array_agg
listagg(varchar, [varchar]) -> varchar = @listagg
map_agg(K, V) -> map(K,V) = @map_agg
histogram(T) -> map(T,bigint)
bool_and(boolean) -> boolean
bool_or(boolean) -> boolean
every(boolean) -> boolean = bool_and
grouping(…) -> bigint
"""

WINDOW: Final = """
row_number() -> bigint
rank() -> bigint
dense_rank() -> bigint
percent_rank() -> double
cume_dist() -> double
ntile(bigint) -> bigint
lag(T, [bigint], [T]) -> T
lead(T, [bigint], [T]) -> T
first_value(T) -> T
last_value(T) -> T
nth_value(T, bigint) -> T
"""

# Known to Trino and refused on purpose: what a person gets told instead of "not in the subset".
REFUSED: Final = {
    **dict.fromkeys(
        ("now", "current_timestamp", "current_date", "current_time", "localtimestamp", "localtime"),
        "an answer must not depend on when it is asked; bind the time as a parameter, such as :now",
    ),
    **dict.fromkeys(("random", "rand", "uuid", "shuffle"), "an answer must be the same each time it is asked"),
    **dict.fromkeys(
        ("approx_distinct", "approx_percentile", "approx_most_frequent", "approx_set", "numeric_histogram"),
        "it is approximate and differs between engines; use count(distinct …) or array_agg(x order by x)",
    ),
    **dict.fromkeys(
        ("arbitrary", "any_value"), "which value it gives is not determined; use min(…) or max_by(…, position)"
    ),
    **dict.fromkeys(
        ("stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp", "corr", "covar_pop", "covar_samp"),
        "its last digits depend on the order of addition; compute it from sums over decimal(38, s)",
    ),
    **dict.fromkeys(
        ("ln", "log", "log2", "log10", "exp", "power", "pow", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan"),
        "its last digit differs between the engines' mathematical libraries; compute it on the answer",
    ),
}


class Signature(msgspec.Struct, frozen=True):
    """One line of the tables above."""

    name: str
    kind: Kind
    arguments: tuple[str, ...]
    optional: int
    repeats: bool
    result: str
    target: str

    def takes(self, count: int) -> bool:
        """Say whether the function may be called with that many arguments."""
        most = len(self.arguments)
        return most - self.optional <= count and (count <= most or self.repeats)

    def result_type(self, kinds: list[Type]) -> Type | None:
        """Return what the function gives for arguments of these types, or None when it does not take them."""
        if not self.takes(len(kinds)):
            return None
        bound: dict[str, Type] = {}
        patterns = [self.arguments[min(index, len(self.arguments) - 1)] for index in range(len(kinds))]
        for pattern, kind in zip(patterns, kinds, strict=True):
            letter, _, family = pattern.rpartition(":")
            if pattern.startswith("lambda"):
                bound["L"] = kind
                continue
            if not match_type(family, kind, bound) or (letter and not match_type(letter, kind, bound)):
                return None
        return fill_type(self.result, bound)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"


_LINE = re.compile(r"(?P<name>\w+)\((?P<arguments>.*?)\) -> (?P<result>[^=]+?)(?: = (?P<target>\S+))?$")


@functools.cache
def list_functions() -> dict[str, tuple[Signature, ...]]:
    """Return every function of the subset: its name and the signatures it has."""
    functions: dict[str, tuple[Signature, ...]] = {}
    kinds: tuple[tuple[Kind, str], ...] = (("scalar", SCALAR), ("aggregate", AGGREGATE), ("window", WINDOW))
    for kind, text in kinds:
        for line in text.strip().splitlines():
            signature = _read_signature(line, kind)
            functions[signature.name] = (*functions.get(signature.name, ()), signature)
    return functions


def _read_signature(line: str, kind: Kind) -> Signature:
    found = _LINE.match(line)
    if found is None:
        raise ValueError(f"not a signature: {line}")
    arguments = split_list(found["arguments"])
    return Signature(
        found["name"],
        kind,
        tuple(argument.strip("[]…") or "any" for argument in arguments),
        sum(argument.startswith("[") or argument == "…" for argument in arguments),
        found["arguments"].endswith("…"),
        found["result"].strip(),
        found["target"] or found["name"],
    )
