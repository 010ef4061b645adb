"""Writers on several machines at once, through the REST catalog: gapless, nothing lost or doubled, one winner."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.eventlog.logs import append, assert_whole, make_events, read_events
from tests.eventlog.test_writers import assert_nothing_lost
from tests.eventlog.writers import acknowledged, open_machine, start_writer
from workbench.errors import ClockSkewError, EventConflictError, ExpectedVersionError
from workbench.eventlog import NativeLog
from workbench.eventlog.storage.rest import LakeCatalog

OpenMachine = Callable[[str], NativeLog]


def test_machines_that_append_in_turn_see_each_others_events(open_log: OpenMachine) -> None:
    one, two = open_log("one"), open_log("two")
    for number in range(0, 12, 2):
        assert append(one, make_events(number, 1)).positions.tolist() == [number]
        assert append(two, make_events(number, 2)).positions.tolist() == [number, number + 1]
    with pytest.raises(EventConflictError, match="stands at position 3"):
        append(one, make_events(3, 1, data={"amount": -1}))
    with pytest.raises(ExpectedVersionError, match="at version 3"):
        append(one, make_events(99, 1, stream_id="account-0"), expected=2)
    assert assert_whole(two).num_rows == 12


def test_machines_that_append_at_once_lose_and_double_nothing(
    tmp_path: Path, namespace: str, open_log: OpenMachine
) -> None:
    folder = tmp_path / "machines"
    log = open_log("reader")
    running = [start_writer("append", folder, f"w{number}", 6, namespace) for number in range(3)]
    messages = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0] * 3, messages
    assert_nothing_lost(folder, writers=3, count=6, log=log)


def test_machines_that_race_for_one_stream_have_one_winner_a_version(
    tmp_path: Path, namespace: str, open_log: OpenMachine
) -> None:
    folder = tmp_path / "machines"
    log = open_log("reader")
    names = [f"r{number}" for number in range(3)]
    running = [start_writer("race", folder, name, 4, namespace) for name in names]
    messages = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0] * 3, messages
    won = [version for name in names for versions in acknowledged(folder, name) for version in versions]
    assert sorted(won) == [0, 1, 2, 3]
    assert assert_whole(log).num_rows == 4


def test_a_merge_overtaken_by_another_machine_is_committed_behind_it(open_log: OpenMachine) -> None:
    one, two = open_log("one"), open_log("two")
    for number in range(15):
        append(one, make_events(number, 1))
    store = one._store
    commit, calls = store.tables.catalog.commit_table, 0

    def overtake(*given: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            append(two, make_events(16, 1))
        return commit(*given, **named)  # type: ignore[arg-type]  # passed on as they came

    store.tables.catalog.commit_table = overtake  # type: ignore[method-assign,assignment]  # another machine comes between
    append(one, make_events(15, 1))
    assert len(read_events(one)) == 17
    assert len(one.shapes()["events_stored"].parts[0].files) == 2
    assert append(one, make_events(0, 18)).appended_count == 1
    assert assert_whole(two).num_rows == 18


def test_a_machine_whose_cache_cannot_be_written_appends_all_the_same(
    tmp_path: Path, namespace: str, open_log: OpenMachine
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="ascii")
    append(open_log("one"), make_events(0, 2))
    log = open_machine(tmp_path / "file" / "cache", namespace)
    assert append(log, make_events(0, 4)).positions.tolist() == [0, 1, 2, 3]
    assert assert_whole(log).num_rows == 4


def test_a_machine_whose_clock_is_off_the_catalogs_is_refused(
    open_log: OpenMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log("one")
    append(log, make_events(0, 1))
    catalog = log._store.tables.catalog
    assert isinstance(catalog, LakeCatalog)
    assert catalog.clock_offset is not None
    assert abs(catalog.clock_offset) < 5
    look = LakeCatalog._look_at_clock

    def look_late(own: LakeCatalog, response: Any, **named: Any) -> None:
        look(own, response, **named)
        own.clock_offset = (own.clock_offset or 0) + 120

    monkeypatch.setattr(LakeCatalog, "_look_at_clock", look_late)
    late = open_log("two")
    with pytest.raises(ClockSkewError, match=r"the catalog's .* 1[12]\d s apart, 60 at most"):
        append(late, make_events(1, 1))
    assert assert_whole(log).num_rows == 1
