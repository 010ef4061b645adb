"""What others write into `events`: rows added or removed are refused, rows only rearranged are proven and pass."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update.snapshot import _OverwriteFiles

from tests.eventlog.logs import (
    append,
    assert_whole,
    content_hash,
    event_ids,
    files_below,
    make_events,
    open_folder,
    position_ranges,
    read_events,
)
from workbench.errors import ForeignWriteError, StorageError
from workbench.eventlog import NativeLog
from workbench.eventlog.files import arrow_schema, read_file, write_file
from workbench.eventlog.layout import planned_files
from workbench.session import connect


def insert(table: Table) -> None:
    table.append(read_all(table).slice(0, 1))


def delete(table: Table) -> None:
    table.delete("position = 3")


def overwrite(table: Table) -> None:
    table.overwrite(read_all(table).slice(0, 4))


def forge(table: Table) -> None:
    """Change a row's content and leave its position, under the name of a mere rearrangement."""
    rows = read_all(table)
    digests = ["0" * 64, *rows.column("digest").to_pylist()[1:]]
    at = rows.schema.get_field_index("digest")
    replace(table, [rows.set_column(at, "digest", pa.array(digests))])


def drop_rows(table: Table) -> None:
    """Leave rows out under the name of a mere rearrangement."""
    replace(table, [read_all(table).slice(1)])


def swap(table: Table, column: str) -> None:
    """Give the first and the last event each other's place, under the name of a mere rearrangement."""
    rows = read_all(table)
    values = rows.column(column).to_pylist()
    values[0], values[-1] = values[-1], values[0]
    swapped = pa.array(values, rows.schema.field(column).type)
    replace(table, [rows.set_column(rows.schema.get_field_index(column), rows.schema.field(column), swapped)])


def swap_positions(table: Table) -> None:
    swap(table, "position")


def swap_versions(table: Table) -> None:
    swap(table, "stream_version")


def swap_times(table: Table) -> None:
    swap(table, "recorded_at")


def go_back(table: Table) -> None:
    """Set the table back to an older snapshot of ours."""
    snapshots = sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0)
    table.manage_snapshots().rollback_to_snapshot(snapshots[-2].snapshot_id).commit()


def insert_then_rearrange(table: Table) -> None:
    insert(table)
    table.refresh()
    replace(table, [read_all(table)])


def read_all(table: Table) -> pa.Table:
    return pa.concat_tables(read_file(table, file.file_path) for file in planned_files(table))


class Rearrangement(_OverwriteFiles):
    """A commit that says `replace`, as Trino's optimize does and PyIceberg cannot."""

    def _summary(self, snapshot_properties: dict[str, str] = {}) -> Summary:  # noqa: B006 - the signature is given
        summary = super()._summary(snapshot_properties)
        return Summary(Operation.REPLACE, **summary.additional_properties)


def replace(table: Table, parts: list[pa.Table]) -> int:
    """Commit the given rows in the place of all files, as a compaction by another engine does."""
    transaction = table.transaction()
    producer = Rearrangement(operation=Operation.OVERWRITE, transaction=transaction, io=table.io)
    for file in planned_files(table):
        producer.delete_data_file(file)
    for part in parts:
        producer.append_data_file(write_file(table, part.cast(arrow_schema(table))))
    producer.commit()
    transaction.commit_transaction()
    return producer.snapshot_id


@pytest.fixture
def three(log: NativeLog) -> NativeLog:
    """A log of three commits."""
    for start in (0, 4, 8):
        append(log, make_events(start, 4))
    return log


@pytest.mark.parametrize(
    "write",
    [
        insert,
        delete,
        overwrite,
        forge,
        drop_rows,
        swap_positions,
        swap_versions,
        swap_times,
        go_back,
        insert_then_rearrange,
    ],
)
def test_rows_that_others_added_or_removed_are_refused_and_nothing_more_is_written(
    three: NativeLog, folder: Path, write: Callable[[Table], None]
) -> None:
    write(three._store.tables.events)
    before = files_below(folder)
    for opened in (three, open_folder(folder)):
        with pytest.raises(ForeignWriteError):
            append(opened, make_events(12, 1))
        with pytest.raises(ForeignWriteError):
            append(opened, make_events(0, 1))
        with pytest.raises(ForeignWriteError):
            opened.head()
        with pytest.raises(ForeignWriteError):
            opened.maintain()
    assert {path for path in files_below(folder) if path.suffix == ".parquet"} == {
        path for path in before if path.suffix == ".parquet"
    }


def test_the_refusal_names_the_snapshot_what_it_did_and_what_can_be_done(three: NativeLog) -> None:
    events = three._store.tables.events
    insert(events)
    snapshot = events.current_snapshot()
    assert snapshot is not None
    with pytest.raises(ForeignWriteError, match=rf"Snapshot {snapshot.snapshot_id} by .* added 1 and removed 0 rows"):
        three.head()


def test_the_first_foreign_snapshot_is_named_when_others_followed(three: NativeLog) -> None:
    events = three._store.tables.events
    insert(events)
    first = events.metadata.current_snapshot_id
    events.refresh()
    insert(events)
    with pytest.raises(ForeignWriteError, match=f"Snapshot {first} "):
        append(three, make_events(12, 1))


@pytest.mark.parametrize("way", ["one file", "reversed", "dealt out", "a row a file"])
def test_the_same_rows_in_other_files_pass_and_the_log_goes_on(three: NativeLog, folder: Path, way: str) -> None:
    before = content_hash(read_events(three))
    table = three._store.tables.events
    rows = read_all(table)
    odd = pc.equal(pc.bit_wise_and(rows.column("position"), 1), 1)
    parts = {
        "one file": [rows],
        "reversed": [rows.sort_by([("position", "descending")])],
        "dealt out": [rows.filter(odd), rows.filter(pc.invert(odd)).sort_by([("position", "descending")])],
        "a row a file": [rows.slice(number, 1) for number in range(rows.num_rows)],
    }
    snapshot_id = replace(table, parts[way])
    assert (three.head().position, three.head().snapshot_id) == (11, snapshot_id)
    assert content_hash(read_events(three)) == before
    three._store.index.clear()
    assert append(open_folder(folder), make_events(0, 20)).positions.tolist() == list(range(20))
    assert_whole(three)
    for start in range(20, 40):
        append(three, make_events(start, 1))
    three.maintain()
    rows = assert_whole(three)
    assert event_ids(three) == [f"e{number}" for number in range(40)]
    ranges = position_ranges(three._store.tables.events)
    assert all(last < first for (_, last), (first, _) in itertools.pairwise(ranges))
    assert append(three, make_events(0, 40)).appended_count == 0


def test_a_rearrangement_is_read_once_and_remembered(three: NativeLog) -> None:
    snapshot_id = replace(three._store.tables.events, [read_all(three._store.tables.events)])
    three.head()
    assert three._store.proofs.read_text(encoding="ascii").strip() == str(snapshot_id)


def test_a_proof_of_another_snapshot_proves_nothing(three: NativeLog) -> None:
    table = three._store.tables.events
    three._store.proofs.write_text("7\n", encoding="ascii")
    insert(table)
    with pytest.raises(ForeignWriteError):
        three.head()


def test_a_table_set_back_and_put_forth_again_goes_on(three: NativeLog) -> None:
    table = three._store.tables.events
    current = table.metadata.current_snapshot_id
    assert current is not None
    go_back(table)
    with pytest.raises(ForeignWriteError, match=f"Our last is {current}"):
        three.head()
    table.refresh()
    table.manage_snapshots().set_current_snapshot(current).commit()
    append(three, make_events(12, 3))
    assert_whole(three)


def test_a_log_whose_folder_was_moved_says_so(tmp_path: Path) -> None:
    connect(tmp_path / "here").close()
    (tmp_path / "here").rename(tmp_path / "there")
    with pytest.raises(StorageError, match="folder cannot be moved"):
        connect(tmp_path / "there")
