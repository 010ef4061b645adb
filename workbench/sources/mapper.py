"""Runs a mapping over batches of rows, vectorised in a DuckDB that sees nothing but the batch.

A member of type JSON and every number goes into a payload with the text it has; only values that are no JSON yet are
written anew. A row on which an expression fails keeps its place with an empty envelope, and ``fault`` says why.
"""

import json
from collections.abc import Collection

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import MappingError
from workbench.sources.expressions import ExpressionCheck, open_engine
from workbench.sources.mapping import Mapping, map_by_name, quote_name
from workbench.sources.rows import ENVELOPE

_TIMES = ("occurred_at", "recorded_at")
_WRITTEN_AS_TEXT = {
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
}
_WRITTEN_AS_TEXT |= {"UHUGEINT", "BOOLEAN", "JSON", "BIGNUM", "VARINT"}
_EXPLAINED_FAULTS = 20
# Names that no column of an input can be expected to have.
_MAPPED, _FAILED = '"workbench: mapped"', '"workbench: failed"'


class RowMapper:
    """A mapping made ready for inputs of one schema. Raises MappingError where the two do not fit.

    ``jsons`` names the text columns that hold JSON. ``whole`` names the one column that holds all of a record, where
    there is such; it is the payload of a mapping that gives none. Without a mapping the columns go by their names.
    ``own`` are the columns of the record itself, where others were joined to them.
    """

    def __init__(
        self,
        mapping: Mapping | None,
        schema: pa.Schema,
        *,
        jsons: Collection[str] = (),
        whole: str | None = None,
        own: list[str] | None = None,
    ) -> None:
        self._mapping = mapping or map_by_name(schema.names)
        self._engine = open_engine()
        self._columns = own or schema.names
        self._whole = whole
        self._input = _write_input(jsons)
        self._check = ExpressionCheck(self._engine, schema.names, self._mapping.name)
        self._engine.register("batch", schema.empty_table())
        self._targets = {name: self._compile(name) for name in ENVELOPE if self._has(name)}
        self._raw_sql = self._write_raw()

    def map_rows(self, inputs: pa.Table, *, with_raw: bool) -> pa.Table:
        """Return the envelope of each input row, in order, with ``raw`` (all its columns as JSON) where wanted."""
        self._engine.register("batch", inputs)
        targets = self._targets | ({"raw": self._raw_sql} if with_raw else {})
        selected = ", ".join(f"{sql} as {name}" for name, sql in targets.items())
        try:
            rows = self._fetch(f"select {selected} from {self._input}")  # noqa: S608 - each expression was checked
        except duckdb.Error:
            rows = self._map_leniently(inputs, with_raw=with_raw)
        if rows.num_rows != inputs.num_rows:
            raise MappingError(f"{self._mapping.name} gave {rows.num_rows} rows for {inputs.num_rows}.")
        return rows

    def _map_leniently(self, inputs: pa.Table, *, with_raw: bool) -> pa.Table:
        """Give a row that makes an expression fail nulls and its fault; TRY tells which rows they are."""
        packed = ", ".join(f"{name} := {sql}" for name, sql in self._targets.items())
        raw = f", {self._raw_sql} as raw" if with_raw else ""
        lenient = f"select *, try(struct_pack({packed})) as {_MAPPED} from {self._input}"  # noqa: S608 - checked
        failed = f"{_MAPPED} is null as {_FAILED}"
        rows = self._fetch(f"select {_MAPPED}.*, {failed}{raw} from ({lenient})")  # noqa: S608 - checked
        flags = rows[_FAILED.strip('"')].to_pylist()
        places = [place for place, failed in enumerate(flags) if failed]
        faults: list[str | None] = [None] * rows.num_rows
        for count, place in enumerate(places):
            faults[place] = (
                self._explain(inputs.slice(place, 1))
                if count < _EXPLAINED_FAULTS
                else "an expression of the mapping fails"
            )
        is_sound = pa.array([not failed for failed in flags])
        cleared = {name: pc.if_else(is_sound, rows[name], None) for name in self._targets}
        return pa.table(cleared | ({"raw": rows["raw"]} if with_raw else {}) | {"fault": pa.array(faults, pa.string())})

    def _explain(self, row: pa.Table) -> str:
        """Say which expression fails on the row, and how; alone, as DuckDB evaluates neighbours with it."""
        self._engine.register("batch", row)
        for name, sql in self._targets.items():
            try:
                self._fetch(f"select {sql} as found from {self._input}")  # noqa: S608 - checked
            except duckdb.Error as error:
                return f"{name}: {str(error).splitlines()[0]}"
        return "an expression of the mapping fails"

    def _fetch(self, sql: str) -> pa.Table:
        return self._engine.sql(sql).to_arrow_table()

    def _has(self, name: str) -> bool:
        return (
            name in self._mapping.columns
            or name == "data"
            or (name == "metadata" and self._mapping.metadata is not None)
        )

    def _compile(self, name: str) -> str:
        """Return the SQL that gives one column of the log in its type."""
        expression = self._mapping.columns.get(name)
        if expression is None:
            return self._write_object(name)
        kind = self._find_type(name, expression)
        if name in _TIMES:
            return self._take_time(name, expression, kind)
        if name in {"data", "metadata"}:
            return _wrap(expression) if kind == "VARCHAR" else _write_json(_wrap(expression), kind)
        return f"cast({_wrap(expression)} as varchar)"

    def _take_time(self, name: str, expression: str, kind: str) -> str:
        if kind == "VARCHAR":
            return _wrap(expression)
        if kind.startswith("TIMESTAMP WITH TIME ZONE") or kind == '"NULL"':
            time = f"cast({_wrap(expression)} as timestamptz)"
            return f"case when isfinite({time}) then {time} end"
        raise MappingError(
            f"{self._mapping.name}: the expression of {name}, {expression!r}, gives {kind}, which is no time with a "
            "zone. Use make_timestamptz(microseconds), at time zone 'Europe/Amsterdam', or RFC 3339 text."
        )

    def _write_object(self, name: str) -> str:
        members = self._mapping.data if name == "data" else self._mapping.metadata
        if members is None:
            if self._whole is not None:
                return f"cast({quote_name(self._whole)} as varchar)"
            members = {column: quote_name(column) for column in self._columns}
        written = []
        for member, expression in members.items():
            kind = self._find_type(f"{name}.{member}", expression)
            opening = _quote_text(_quote_json(member) + ":")
            written.append(f"{opening} || {_write_json(_wrap(expression), kind)}")
        return f"'{{' || concat_ws(',', {', '.join(written)}) || '}}'" if written else "'{}'"

    def _write_raw(self) -> str:
        written = []
        for column in self._columns:
            kind = self._find_type(column, quote_name(column))
            opening = _quote_text(_quote_json(column) + ":")
            written.append(f"{opening} || coalesce({_write_json(quote_name(column), kind)}, 'null')")
        return f"('{{' || concat_ws(',', {', '.join(written)}) || '}}')"

    def _find_type(self, target: str, expression: str) -> str:
        self._check.check(target, expression)
        try:
            found = self._engine.sql(f"select {_wrap(expression)} as found from {self._input}")  # noqa: S608 - checked above
        except duckdb.Error as error:
            message = str(error).splitlines()[0]
            raise MappingError(
                f"{self._mapping.name}: the expression of {target}, {expression!r}, does not fit the input: {message} "
                f"Its columns are {', '.join(self._columns)}."
            ) from error
        return str(found.types[0])


def _write_input(jsons: Collection[str]) -> str:
    """Return the relation the expressions run over: the batch, its JSON columns typed as such."""
    typed = ", ".join(f"cast({quote_name(name)} as json) as {quote_name(name)}" for name in jsons)
    return f"(select * replace ({typed}) from batch)" if jsons else "batch"  # noqa: S608 - names are quoted


def _write_json(sql: str, kind: str) -> str:
    """Return SQL for the value as JSON text; null stays null, a number keeps its digits, NaN becomes text."""
    if kind in _WRITTEN_AS_TEXT or kind.startswith("DECIMAL"):
        return f"cast({sql} as varchar)"
    if kind in {"DOUBLE", "FLOAT"}:
        return f"case when isfinite({sql}) then cast({sql} as varchar) else '\"' || cast({sql} as varchar) || '\"' end"
    if kind == "BLOB":
        return f"'\"' || to_base64({sql}) || '\"'"
    return f"case when {sql} is not null then cast(to_json({sql}) as varchar) end"


def _quote_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _wrap(expression: str) -> str:
    """Return the expression as one term; the new line ends a comment it may close with."""
    return f"({expression}\n)"
