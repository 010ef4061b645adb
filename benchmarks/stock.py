"""The peer of the append tasks: PyIceberg as one finds it, `Table.append` in a loop on a SQLite catalog."""

import json
import uuid
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

KEPT_WHILE_BUILDING: Final = 4
BLOCK: Final = 25
NAME: Final = "stock.events"


def open_catalog(folder: Path) -> SqlCatalog:
    """Return a SQLite catalog in ``folder``, made when there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    return SqlCatalog("stock", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")


def open_table(folder: Path, schema: pa.Schema) -> Table:
    """Return the stock table of ``folder``, made on first use."""
    catalog = open_catalog(folder)
    catalog.create_namespace_if_not_exists("stock")
    return catalog.create_table_if_not_exists(NAME, schema=schema)


def build_table(folder: Path, batches: list[pa.Table]) -> None:
    """Commit each batch by `Table.append`, every snapshot kept.

    An append costs the more the more snapshots there are (600 ms at 600), so 950 would take seven minutes. Meanwhile
    the snapshots made so far are therefore set aside in blocks and put back at the end: each was made by a stock
    append, and the table that is measured holds all of them.
    """
    table = open_table(folder, batches[0].schema)
    aside: dict[str, list[Any]] = {"snapshots": [], "snapshot-log": []}
    for number, batch in enumerate(batches, 1):
        table.append(batch)
        if number % BLOCK == 0:
            table = rewrite_metadata(folder, lambda metadata: set_aside(metadata, aside))
    rewrite_metadata(folder, lambda metadata: put_back(metadata, aside))


def set_aside(metadata: dict[str, Any], aside: dict[str, list[Any]]) -> None:
    for member, taken in aside.items():
        taken.extend(metadata[member][:-KEPT_WHILE_BUILDING])
        del metadata[member][:-KEPT_WHILE_BUILDING]


def put_back(metadata: dict[str, Any], aside: dict[str, list[Any]]) -> None:
    for member, taken in aside.items():
        metadata[member][:0] = taken


def rewrite_metadata(folder: Path, change: Any) -> Table:
    """Write the table's metadata anew with ``change`` made to it, and return the table."""
    catalog = open_catalog(folder)
    old = catalog.load_table(NAME).metadata_location
    metadata = json.loads(Path(old.removeprefix("file://")).read_text(encoding="utf-8"))
    change(metadata)
    new = f"{old.rsplit('/', 1)[0]}/{len(metadata['snapshots']):05d}-{uuid.uuid4()}.metadata.json"
    Path(new.removeprefix("file://")).write_text(json.dumps(metadata), encoding="utf-8")
    catalog.drop_table(NAME)
    return catalog.register_table(NAME, new)
