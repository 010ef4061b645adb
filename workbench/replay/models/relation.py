"""`states` in SQL: the kept states of the projections that a session declares."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import polars as pl
import pyarrow as pa

from workbench.errors import ReadModelError
from workbench.query.base import Relation, Table
from workbench.replay.sql.expressions import quote_texts

if TYPE_CHECKING:
    from workbench.eventlog.models import ModelTable

COLUMNS: Final = {
    "projection": "varchar",
    "entity_id": "varchar",
    "state": "varchar",
    "event_count": "bigint",
    "position": "bigint",
    "occurred_at": "timestamp(6) with time zone",
    "notes": "varchar",
}
SCHEMA: Final = pa.schema(
    [
        *[pa.field(name, pa.string()) for name in ("projection", "entity_id", "state")],
        *[pa.field(name, pa.int64()) for name in ("event_count", "position")],
        pa.field("occurred_at", pa.timestamp("us", tz="UTC")),
        pa.field("notes", pa.string()),
    ]
)
_ROWS: Final = "kept_rows"


def relate_states(kept: "ModelTable", models: Sequence[str] | None, read: Callable[[], pa.Table]) -> Relation:
    """Return the relation: rows made in process, or, for an engine that reads tables, the latest rows of ``models``.

    The table is looked for when it is read, and made where there is none yet. Raises ReadModelError then where others
    have written into it.
    """
    if models is None:
        return Relation(name="states", columns=COLUMNS, version="now", arrow=read)

    def find() -> Table:
        reading = kept.read()
        table = kept.open() if reading is None else reading.table
        if reading is not None and reading.files and not reading.marks:
            raise ReadModelError(f"Others have written into {kept.place}. Materialise your projections anew.")
        *namespace, name = kept.place.split(".")
        snapshot = table.metadata.current_snapshot_id
        return Table(namespace=".".join(namespace), name=name, snapshot_id=snapshot)

    return Relation(name="states", columns=COLUMNS, version="now", select=select_states(models), tables={_ROWS: find})


def select_states(models: Sequence[str]) -> str:
    """Return the SELECT of the latest state of each entity of models that exists."""
    chosen = f"model in ({quote_texts(models)})" if models else "false"
    newest = "row_number() over (partition by model, entity_id order by checkpoint_position desc) as newest"
    columns = ", ".join(COLUMNS)
    return (
        f"select {columns} from (select {columns}, {newest} from {_ROWS} where {chosen}) as each "  # noqa: S608 - our own names; ids are hexadecimal
        "where newest = 1 and event_count > 0"
    )


def latest_states(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the latest state of each entity that exists, of each model's rows."""
    parts = [
        pl.DataFrame(rows)
        .sort("checkpoint_position")
        .unique("entity_id", keep="last")
        .filter(pl.col("event_count") > 0)
        .sort("entity_id")
        .select(list(COLUMNS))
        .to_arrow()
        .cast(SCHEMA)
        for rows in tables
    ]
    return pa.concat_tables([SCHEMA.empty_table(), *parts])
