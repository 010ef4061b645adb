"""Commits whose reply is lost, commits that are refused, and writers that are interrupted."""

import random
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.exceptions import CommitFailedException

from tests.eventlog.logs import append, assert_whole, event_ids, files_below, live_files, make_events, open_folder
from workbench.decode import encode_events
from workbench.errors import CommitUnknownError, EventConflictError, StorageError
from workbench.eventlog import NativeLog
from workbench.eventlog.writing.write import write_batches

Commit = Callable[..., Any]


class Wire:
    """Stands between a log and its own catalog, and loses what a plan says: before, after, or nothing."""

    def __init__(self, log: NativeLog, plan: Sequence[str | BaseException]) -> None:
        self._catalog = log._store.tables.catalog
        self._commit: Commit = self._catalog.commit_table
        self.plan = list(plan)
        self._catalog.commit_table = self.commit  # type: ignore[method-assign]  # the fault is placed in this log alone

    def commit(self, *arguments: Any, **named: Any) -> Any:
        """Commit or not, as the plan's next word says."""
        step = self.plan.pop(0) if self.plan else "whole"
        if step == "before":
            raise ConnectionError("the request was lost")
        if isinstance(step, BaseException):
            raise step
        answer = self._commit(*arguments, **named)
        if step == "after":
            raise ConnectionError("the reply was lost")
        return answer


@pytest.mark.parametrize("plan", [["before"], ["after"], ["before", "before", "after"], ["before"] * 4])
def test_a_lost_reply_doubles_nothing_and_the_receipt_is_that_of_the_first(
    log: NativeLog, plan: list[str | BaseException]
) -> None:
    append(log, make_events(0, 3))
    Wire(log, plan)
    written = append(log, make_events(2, 4))
    assert written.positions.tolist() == [2, 3, 4, 5]
    assert (written.appended_count, written.duplicate_count) == (3, 1)
    assert_whole(log)


def test_a_catalog_that_never_answers_leaves_the_outcome_unknown_and_a_retry_gives_the_first_receipt(
    log: NativeLog,
) -> None:
    wire = Wire(log, ["before"] * 5 + ["after"])
    with pytest.raises(CommitUnknownError, match=r"not known: the reply was lost\. Append the same events again"):
        append(log, make_events(0, 3))
    wire.plan.clear()
    again = append(log, make_events(0, 3))
    assert (again.positions.tolist(), again.duplicate_count) == ([0, 1, 2], 3)
    assert_whole(log)


@pytest.mark.parametrize("step", ["before", "after"])
def test_another_writer_that_comes_between_a_lost_reply_and_the_next_try_changes_no_answer(
    folder: Path, log: NativeLog, step: str
) -> None:
    other = open_folder(folder)
    catalog = log._store.tables.catalog
    commit = catalog.commit_table

    def lose_once(*arguments: Any, **named: Any) -> Any:
        catalog.commit_table = commit  # type: ignore[method-assign]  # the fault is placed in this log alone
        if step == "after":
            commit(*arguments, **named)
        raise ConnectionError("lost")

    catalog.commit_table = lose_once  # type: ignore[method-assign]  # as above
    first = append(log, make_events(0, 3))
    append(other, make_events(3, 3))
    assert first.positions.tolist() == [0, 1, 2]
    assert append(other, make_events(0, 6)).positions.tolist() == [0, 1, 2, 3, 4, 5]
    assert_whole(log)


def test_the_lost_reply_of_a_merge_leaves_the_append_acknowledged(log: NativeLog) -> None:
    for start in range(15):
        append(log, make_events(start, 1))
    for number, step in enumerate(["before", "after"]):
        Wire(log, ["whole", step])
        assert append(log, make_events(15 + number, 1)).appended_count == 1
        assert_whole(log)
    for start in range(17, 33):
        append(log, make_events(start, 1))
    assert_whole(open_folder(log._store.settings.folder))


def test_a_commit_that_another_program_overtakes_gets_new_positions(log: NativeLog) -> None:
    Wire(log, [CommitFailedException("overtaken")] * 3)
    assert append(log, make_events(0, 3)).positions.tolist() == [0, 1, 2]
    data = [path for path in files_below(log._store.settings.folder) if path.suffix == ".parquet"]
    assert len(data) == 1


def test_a_storage_that_refuses_the_commit_is_asked_once_and_leaves_no_data_file(log: NativeLog) -> None:
    append(log, make_events(0, 1))
    refused = OSError(28, "No space left on device")
    wire = Wire(log, [refused, refused, refused])
    with pytest.raises(StorageError, match=r"No space left on device\. Nothing of the batch is in the log"):
        append(log, make_events(1, 3))
    assert len(wire.plan) == 2
    assert {path for path in files_below(log._store.settings.folder) if path.suffix == ".parquet"} == live_files(log)
    wire.plan.clear()
    assert append(log, make_events(1, 3)).positions.tolist() == [1, 2, 3]
    assert_whole(log)


def test_an_error_after_the_commit_took_effect_is_no_refusal(log: NativeLog) -> None:
    catalog = log._store.tables.catalog
    commit = catalog.commit_table

    def fail_late(*arguments: Any, **named: Any) -> Any:
        catalog.commit_table = commit  # type: ignore[method-assign]  # the fault is placed in this log alone
        commit(*arguments, **named)
        raise OSError(28, "No space left on device")

    catalog.commit_table = fail_late  # type: ignore[method-assign]  # as above
    written = append(log, make_events(0, 3))
    assert (written.positions.tolist(), written.appended_count) == ([0, 1, 2], 3)
    assert_whole(log)


def test_rows_left_out_for_their_time_do_not_hide_that_a_commit_landed(log: NativeLog) -> None:
    late = make_events(0, 1, recorded_at=make_events(0, 1)[0].occurred_at.replace(year=2990))
    good = make_events(1, 3)
    Wire(log, ["after"])
    batches = [encode_events([*late, *good], "workbench")]
    written = write_batches(log._store, batches, settle=lambda _: None)
    assert (written.appended_count, len(written.mistimed)) == (3, 1)
    assert event_ids(log) == ["e1", "e2", "e3"]
    assert_whole(log)


def test_an_index_that_cannot_be_saved_does_not_unsay_the_commit(folder: Path, log: NativeLog) -> None:
    append(log, make_events(0, 3))
    (folder / "derived/index/mark.new").mkdir()
    assert append(log, make_events(3, 3)).positions.tolist() == [3, 4, 5]
    assert append(log, make_events(0, 9)).appended_count == 3
    assert append(open_folder(folder), make_events(0, 10)).appended_count == 1
    assert_whole(log)


@pytest.mark.parametrize("moment", ["file", "commit", "committed"])
def test_an_interrupted_append_can_be_done_again_at_once(
    log: NativeLog, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, make_events(0, 3))

    def interrupt(*_arguments: Any, **_named: Any) -> Any:
        signal.raise_signal(signal.SIGINT)

    place = {"file": "output.FileWriter", "commit": "write.commit_change"}.get(moment)
    with monkeypatch.context() as patch:
        if place:
            patch.setattr(f"workbench.eventlog.writing.{place}", interrupt)
        else:
            patch.setattr(log._store.index, "save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            append(log, make_events(3, 3))
    assert append(log, make_events(0, 9)).positions.tolist() == list(range(9))
    assert_whole(log)


def test_a_refused_batch_is_forgotten_by_the_index_at_once(log: NativeLog) -> None:
    append(log, make_events(0, 3))
    with pytest.raises(EventConflictError):
        log.append(
            [encode_events(make_events(3, 5), "workbench"), encode_events(make_events(0, 1, data=0), "workbench")]
        )
    assert log._store.index.position == 2


@pytest.mark.parametrize("seed", range(12))
def test_random_losses_over_many_appends_double_nothing(folder: Path, seed: int) -> None:
    lose_at_random(folder, seed, appends=8)


def lose_at_random(folder: Path, seed: int, *, appends: int) -> None:
    """Append with replies lost at random, before or after the commit; whatever is not known is appended again."""
    chance = random.Random(seed)  # noqa: S311 - a seed repeats the faults
    logs = [open_folder(folder) for _ in range(2)]
    wires = [Wire(log, []) for log in logs]
    receipts: dict[int, list[int]] = {}
    for number in range(appends):
        which = chance.randrange(2)
        wires[which].plan = chance.choices(["before", "after", "whole"], [3, 3, 4], k=chance.choice([1, 2, 12]))
        events = make_events(5 * number, 5)
        for _ in range(10):
            try:
                receipts[number] = append(logs[which], events).positions.tolist()
            except CommitUnknownError:
                continue
            break
        wires[which].plan = []
    for number, positions in receipts.items():
        assert append(logs[number % 2], make_events(5 * number, 5)).positions.tolist() == positions
    rows = assert_whole(open_folder(folder))
    assert rows.num_rows == 5 * appends
    logs[0].maintain()
    assert_whole(logs[1])
