"""Appending: positions, duplicates, conflicts, expected versions."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from tests.eventlog.logs import append, assert_whole, event_ids, make_events, open_folder, read_events
from workbench.decode import encode_events
from workbench.errors import ArgumentError, EventConflictError, ExpectedVersionError
from workbench.eventlog import NativeLog
from workbench.eventlog.head import read_head


def test_positions_run_from_zero_without_gaps_over_any_number_of_commits(log: NativeLog) -> None:
    given = [append(log, make_events(10 * number, size)).positions.tolist() for number, size in enumerate([1, 7, 3])]
    assert [position for positions in given for position in positions] == list(range(11))
    assert_whole(log)


def test_an_empty_log_ends_at_minus_one_and_an_append_of_nothing_leaves_it_there(log: NativeLog) -> None:
    assert (log.head().position, log.head().event_count, log.head().recorded_at) == (-1, 0, None)
    written = append(log, [])
    assert (written.appended_count, written.snapshot_id, log.head().position) == (0, None, -1)


def test_a_known_event_is_acknowledged_with_its_first_position_and_not_written_again(log: NativeLog) -> None:
    append(log, make_events(0, 5))
    again = append(log, make_events(3, 4))
    assert again.positions.tolist() == [3, 4, 5, 6]
    assert (again.appended_count, again.duplicate_count) == (2, 2)
    assert event_ids(log) == [f"e{number}" for number in range(7)]


def test_an_append_of_known_events_alone_makes_no_snapshot(log: NativeLog) -> None:
    append(log, make_events(0, 5))
    before = log.head()
    assert append(log, make_events(0, 5)).appended_count == 0
    assert log.head() == before


def test_an_event_given_twice_in_one_batch_is_written_once(log: NativeLog) -> None:
    first, second = make_events(0, 2)
    written = append(log, [first, second, first, first])
    assert written.positions.tolist() == [0, 1, 0, 0]
    assert (written.appended_count, written.duplicate_count) == (2, 2)
    assert_whole(log)


def test_an_event_given_twice_over_the_batches_of_one_commit_is_written_once(log: NativeLog) -> None:
    batches = [encode_events(make_events(start, 4), "workbench") for start in (0, 2, 0)]
    written = log.append(batches)
    assert written.positions.tolist() == [0, 1, 2, 3, 2, 3, 4, 5, 0, 1, 2, 3]
    assert written.appended_count == 6
    assert_whole(log)


def test_the_same_id_of_another_source_is_another_event(log: NativeLog) -> None:
    written = append(log, [*make_events(0, 1), *make_events(0, 1, source="elsewhere")])
    assert written.positions.tolist() == [0, 1]


def test_key_parts_that_join_to_the_same_text_are_told_apart(log: NativeLog) -> None:
    names = [("ab", "c"), ("a", "bc"), ("abc", ""), ("1:a", "b")]
    events = [*(make_events(0, 1, source=source, event_id=event_id or "x")[0] for source, event_id in names)]
    assert append(log, events).appended_count == 4


def test_a_known_event_is_recognised_by_another_process_that_opens_the_log(folder: Path, log: NativeLog) -> None:
    append(log, make_events(0, 5))
    other = open_folder(folder)
    assert append(other, make_events(0, 6)).positions.tolist() == [0, 1, 2, 3, 4, 5]
    assert append(log, make_events(5, 2)).positions.tolist() == [5, 6]
    assert_whole(log)


def test_a_known_event_written_otherwise_but_meaning_the_same_is_a_duplicate(log: NativeLog) -> None:
    append(log, make_events(0, 1, data={"b": 1, "a": 1.0}))
    assert append(log, make_events(0, 1, data={"a": 1.0, "b": 1})).positions.tolist() == [0]


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"amount": 1}},
        {"stream_id": "account-9"},
        {"event_type": "MoneyWithdrawn"},
        {"schema_version": 2},
        {"correlation_id": "c"},
        {"causation_id": "c"},
    ],
)
def test_an_equal_key_with_other_content_refuses_the_whole_batch(log: NativeLog, change: dict[str, Any]) -> None:
    append(log, make_events(0, 3))
    with pytest.raises(EventConflictError, match=r"'e0' of source 'workbench' stands at position 0 with other content"):
        append(log, [*make_events(3, 2), *make_events(0, 1, **change)])
    assert event_ids(log) == ["e0", "e1", "e2"]
    assert append(log, make_events(3, 2)).positions.tolist() == [3, 4]


def test_two_contents_under_one_key_in_one_batch_refuse_the_batch(log: NativeLog) -> None:
    with pytest.raises(EventConflictError, match="earlier in this batch"):
        append(log, [*make_events(0, 2), *make_events(0, 1, data={"amount": 7})])
    assert log.head().position == -1


def test_metadata_is_no_part_of_the_content(log: NativeLog) -> None:
    append(log, make_events(0, 1))
    assert append(log, make_events(0, 1, metadata={"trace": "t"})).positions.tolist() == [0]


def test_a_refused_append_leaves_no_file(folder: Path, log: NativeLog) -> None:
    append(log, make_events(0, 3))
    before = {path for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(EventConflictError):
        log.append(
            [encode_events(make_events(3, 2), "workbench"), encode_events(make_events(0, 1, data=1), "workbench")]
        )
    assert {path for path in folder.rglob("*") if path.is_file()} == before


def test_expected_version_lets_one_writer_in_and_refuses_the_next(log: NativeLog) -> None:
    append(log, make_events(0, 1, streams=1), expected=-1)
    append(log, make_events(1, 2, streams=1), expected=0)
    with pytest.raises(ExpectedVersionError, match="'account-0' is at version 2, not at 0 as expected"):
        append(log, make_events(3, 1, streams=1), expected=0)
    assert event_ids(log) == ["e0", "e1", "e2"]


def test_expected_version_minus_one_means_the_stream_must_not_exist(log: NativeLog) -> None:
    append(log, make_events(0, 1, streams=1))
    with pytest.raises(ExpectedVersionError, match="is at version 0, not at -1"):
        append(log, make_events(1, 1, streams=1), expected=-1)
    with pytest.raises(ExpectedVersionError, match="'fresh' does not exist, not at 4"):
        append(log, make_events(1, 1, stream_id="fresh"), expected=4)


def test_one_expected_version_for_several_streams_is_refused(log: NativeLog) -> None:
    with pytest.raises(ArgumentError, match="the events are of 3"):
        append(log, make_events(0, 3), expected=-1)


def test_a_version_can_be_expected_for_each_stream(log: NativeLog) -> None:
    append(log, make_events(0, 3))
    append(log, make_events(3, 2), expected={"account-0": 0, "account-1": 0})
    with pytest.raises(ExpectedVersionError, match="'account-1' is at version 1, not at 0"):
        append(log, make_events(5, 3), expected={"account-2": 0, "account-0": 1, "account-1": 0})
    assert log.head().position == 4


def test_a_version_can_be_expected_of_a_stream_that_gets_no_event(log: NativeLog) -> None:
    append(log, make_events(0, 3))
    with pytest.raises(ExpectedVersionError, match="'account-1' is at version 0, not at 7"):
        append(log, make_events(3, 1), expected={"account-1": 7})
    append(log, make_events(3, 1), expected={"account-1": 0, "nobody": -1})


def test_known_events_are_acknowledged_before_versions_are_compared(log: NativeLog) -> None:
    append(log, make_events(0, 3, streams=1), expected=-1)
    again = append(log, make_events(0, 3, streams=1), expected=-1)
    assert (again.positions.tolist(), again.duplicate_count) == ([0, 1, 2], 3)


def test_the_digest_equals_one_computed_from_the_stored_row_alone(log: NativeLog) -> None:
    append(log, make_events(0, 2, data={"ü": [1.5, None, {"z": 1e21, "a": "\u2028"}], "amount": 10}))
    append(log, make_events(2, 1, data=None, correlation_id="c-1", metadata={"source_salt": "s"}))
    for row in read_events(log).to_pylist():
        content = {
            name: row[name]
            for name in ("actor_id", "actor_kind", "causation_id", "correlation_id", "event_id", "event_type", "source")
        } | {
            "data": None if row["data"] is None else json.loads(row["data"]),
            "occurred_at": row["occurred_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "schema_version": row["schema_version"],
            "stream_id": row["stream_id"],
        }
        salt = bytes.fromhex(json.loads(row["metadata"])["salt"])
        assert row["digest"] == hashlib.sha256(salt + rfc8785.dumps(content)).hexdigest()


def test_the_head_stands_in_the_properties_of_the_very_commit_that_adds_the_events(log: NativeLog) -> None:
    for start in (0, 3, 6):
        written = append(log, make_events(start, 3))
        events = log._store.tables.events
        head = read_head(events)
        assert (head.position, head.event_count, head.snapshot_id) == (start + 2, start + 3, written.snapshot_id)
        assert events.metadata.current_snapshot_id == written.snapshot_id


def test_a_producer_may_name_a_salt_of_its_own_deep_in_the_metadata(folder: Path, log: NativeLog) -> None:
    nasty = {"a": {"salt": "0" * 32}, "b": '"salt":"' + "1" * 32 + '"', "salty": "2" * 32}
    append(log, make_events(0, 2, metadata=nasty))
    log._store.index.clear()
    assert append(open_folder(folder), make_events(0, 2)).positions.tolist() == [0, 1]
