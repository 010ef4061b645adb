"""Commits through the REST catalog whose request or reply is lost: no event twice, no gap, the first receipt again."""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.eventlog.logs import make_events
from tests.stack.proxy import Machine, Machines, Request, Step, load_table
from workbench.errors import CommitUnknownError, StorageError
from workbench.session import AppendReceipt

SIZE = 3
LINE = (
    '{{"event_id": "e{0}", "stream_id": "account-1", "event_type": "MoneyDeposited", '
    '"occurred_at": "2026-01-01T00:00:0{0}Z", "data": {{"amount": {0}}}}}'
)
TRIES = 60


class Plan:
    """What becomes of the commits of one computer, in their order; all other requests pass."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps)

    def __call__(self, request: Request) -> Step:
        return self.steps.pop(0) if request.is_commit and self.steps else "pass"


class Weather:
    """What becomes of any request to the catalog, by chance; a seed repeats it as far as the requests come in order."""

    def __init__(self, seed: object, *, commits: float = 0.5, others: float = 0.08) -> None:
        self._chance = random.Random(repr(seed))  # noqa: S311 - a seed repeats the faults
        self._commits, self._others = commits, others

    def __call__(self, request: Request) -> Step:
        bad = self._commits if request.is_commit else self._others
        steps: list[Step] = ["before", "after", "middle", "twice", 0.2]
        # What is sent twice may be a request to make or drop something: only commits have to bear that.
        choice = self._chance.choice(steps if request.is_commit else steps[:3])
        return choice if self._chance.random() < bad else "pass"


def append_batch(
    machine: Machine, number: int, *, name: str, wait: Callable[[], object] = lambda: None
) -> AppendReceipt:
    """Append one numbered batch, again while its outcome is unknown or a part does not answer; ``wait`` in between."""
    events = make_events(SIZE * number, SIZE, name=name)
    for _ in range(TRIES):
        try:
            return machine.session.append(events)
        except (CommitUnknownError, StorageError):
            wait()
    raise AssertionError(f"batch {number} was not taken in {TRIES} tries")


def assert_holds(machines: Machines, receipts: Mapping[str, Sequence[int]]) -> None:
    """Assert that the log is whole and holds each acknowledged event once and where its receipt says, no other ones."""
    table = load_table(machines, "events")
    rows = table.scan().to_arrow().sort_by("position")
    assert rows.column("position").to_pylist() == list(range(rows.num_rows))
    stand = dict(zip(rows.column("event_id").to_pylist(), rows.column("position").to_pylist(), strict=True))
    assert len(stand) == rows.num_rows
    expected = {name: position for first, where in receipts.items() for name, position in _named(first, where)}
    assert stand == expected
    assert int(table.properties["workbench.position"]) == rows.num_rows - 1
    kept = sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0)
    assert [later.parent_snapshot_id for later in kept[1:]] == [earlier.snapshot_id for earlier in kept[:-1]]


def _named(first: str, positions: Sequence[int]) -> list[tuple[str, int]]:
    """Return the events of a batch, named by its first one, with their positions."""
    name, number = first.split("-")
    return [(f"{name}-{int(number) + at}", position) for at, position in enumerate(positions)]


def assert_verified(machine: Machine) -> None:
    """Assert that the log's own check finds nothing wrong."""
    findings = machine.session.verify()
    assert findings.filter(~findings["holds"]).rows() == []


def lose_at_random(machines: Machines, seed: int, *, appends: int) -> None:
    """Append from two computers in bad weather, then see that every receipt is given again and the log is whole."""
    chance = random.Random(seed)  # noqa: S311 - a seed repeats the choices
    lake = [machines.add(engine="trino") for _ in range(2)]
    for number, machine in enumerate(lake):
        machine.catalog.judge = Weather((seed, number))
    receipts = {f"e-{SIZE * number}": append_batch(chance.choice(lake), number, name="e-") for number in range(appends)}
    for machine in lake:
        machine.catalog.judge = Plan([])
    for machine in lake:
        for number, receipt in enumerate(receipts.values()):
            again = append_batch(machine, number, name="e-")
            assert (list(again.positions), again.duplicate_count) == (list(receipt.positions), SIZE)
    assert_holds(machines, {first: receipt.positions for first, receipt in receipts.items()})
    assert_verified(lake[0])


@pytest.mark.parametrize(
    "steps",
    [["before"], ["after"], ["middle"], ["twice"], ["before", "after"], ["before", "before", "middle"]],
    ids=str,
)
def test_a_lost_request_or_reply_doubles_nothing_and_the_receipt_is_that_of_the_first(
    machines: Machines, steps: list[Step]
) -> None:
    machine = machines.add()
    first = machine.session.append(make_events(0, 3, name="e-"))
    plan = machine.catalog.judge = Plan(steps)
    receipt = machine.session.append(make_events(2, 4, name="e-"))
    assert plan.steps == []
    assert (list(receipt.positions), receipt.appended_count, receipt.duplicate_count) == ([2, 3, 4, 5], 3, 1)
    assert_holds(machines, {"e-0": first.positions, "e-2": receipt.positions})


@pytest.mark.parametrize("last", ["before", "after"])
def test_a_catalog_that_never_answers_leaves_the_outcome_unknown_and_the_retry_gives_the_first_receipt(
    machines: Machines, last: str
) -> None:
    machine = machines.add()
    machine.catalog.judge = Plan([*["before"] * 5, last])
    with pytest.raises(CommitUnknownError) as failure:
        machine.session.append(make_events(0, 3, name="e-"))
    assert machine.catalog.address in str(failure.value)
    again = machine.session.append(make_events(0, 3, name="e-"))
    assert (list(again.positions), again.duplicate_count) == ([0, 1, 2], 3 if last == "after" else 0)
    assert_holds(machines, {"e-0": again.positions})


def test_a_commit_that_arrives_after_its_writer_gave_up_and_tried_again_is_refused_by_the_catalog(
    machines: Machines,
) -> None:
    slow = machines.add(variables={"PYICEBERG_CATALOG__LAKE__WORKBENCH__TIMEOUT": "2"})
    slow.session.append(make_events(0, 3, name="e-"))
    slow.catalog.judge = Plan(["hold"])
    receipt = slow.session.append(make_events(3, 3, name="e-"))
    slow.catalog.release()
    other = machines.add().session.append(make_events(6, 3, name="e-"))
    assert [*receipt.positions, *other.positions] == [3, 4, 5, 6, 7, 8]
    assert_holds(machines, {"e-0": range(9)})


@pytest.mark.parametrize("step", ["before", "after"])
def test_another_computer_that_comes_between_a_lost_reply_and_the_next_look_changes_no_answer(
    machines: Machines, step: str
) -> None:
    here, there = machines.add(), machines.add()
    came: list[AppendReceipt] = []

    def lose_then_let_the_other_in(request: Request) -> Step:
        if request.is_commit and not came:
            here.catalog.judge = let_the_other_in
            return step
        return "pass"

    def let_the_other_in(_request: Request) -> Step:
        here.catalog.judge = Plan([])
        came.append(there.session.append(make_events(3, 3, name="e-")))
        return "pass"

    here.catalog.judge = lose_then_let_the_other_in
    first = here.session.append(make_events(0, 3, name="e-"))
    assert list(first.positions) == ([0, 1, 2] if step == "after" else [3, 4, 5])
    both = [*first.positions, *came[0].positions]
    assert list(there.session.append(make_events(0, 6, name="e-")).positions) == both
    assert_holds(machines, {"e-0": first.positions, "e-3": came[0].positions})


@pytest.mark.parametrize("seed", range(3))
def test_a_log_is_made_once_however_often_the_replies_of_its_making_are_lost(machines: Machines, seed: int) -> None:
    weather = Weather(seed, others=0.2)
    for _ in range(TRIES):
        try:
            machine = machines.add(judge=weather)
        except StorageError:
            continue
        break
    machine.catalog.judge = Plan([])
    assert_holds(machines, {"e-0": machine.session.append(make_events(0, 3, name="e-")).positions})


@pytest.mark.parametrize(
    "steps",
    [["before"], ["after"], ["middle"], ["twice"], ["pass", "before"], ["pass", "after"], ["after", "after", "after"]],
    ids=str,
)
def test_a_file_taken_in_while_replies_are_lost_has_each_record_once_in_the_log_or_in_quarantine(
    machines: Machines, tmp_path: Path, steps: list[Step]
) -> None:
    lines = [LINE.format(number) for number in range(6)]
    lines[2:4] = ["{", "[]"]
    (tmp_path / "bank.ndjson").write_text("\n".join(lines), encoding="utf-8")
    machine = machines.add()
    machine.catalog.judge = Plan(steps)
    for _ in range(TRIES):
        try:
            report = machine.session.ingest(tmp_path / "bank.ndjson", source="bank")
        except (CommitUnknownError, StorageError):
            continue
        break
    assert (report.read, report.appended + report.duplicates, report.quarantined) == (6, 4, 2)
    kept = load_table(machines, "quarantine").scan().to_arrow().column("quarantine_id").to_pylist()
    assert len(kept) == len(set(kept)) == machine.session.quarantine().height == 2
    events = load_table(machines, "events").scan().to_arrow().sort_by("position")
    assert events.column("event_id").to_pylist() == ["e0", "e1", "e4", "e5"]
    assert events.column("position").to_pylist() == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(8))
def test_replies_lost_at_random_between_two_computers_double_nothing(machines: Machines, seed: int) -> None:
    lose_at_random(machines, seed, appends=4)
