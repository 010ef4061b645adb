"""Computers that write at once while connections to catalog and store are cut: gapless, nothing lost or doubled."""

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stack.proxy import Machine, Machines, pass_all
from tests.stack.test_faults_commit import SIZE, Weather, append_batch, assert_holds, assert_verified


class Cutter:
    """Cuts the connections of computers to the object store, at random moments, until told to end."""

    def __init__(self, machines: Sequence[Machine], seed: int, *, every: float) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a seed repeats the choices
        self._machines, self._every = machines, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._chance.uniform(0.2, 1.8) * self._every):
            self._chance.choice(self._machines).store.cut()


def write_in_bad_weather(machines: Machines, seed: int, *, writers: int, batches: int) -> None:
    """Write from several computers at once in bad weather, then see that all of it stands where it was acknowledged."""
    lake = [machines.add(engine="trino") for _ in range(writers)]
    for number, machine in enumerate(lake):
        machine.catalog.judge = Weather((seed, number), commits=0.3, others=0.05)

    def write(number: int) -> dict[str, Sequence[int]]:
        name = f"w{number}-"
        made = {at: append_batch(lake[number], at, name=name) for at in range(batches)}
        return {f"{name}{SIZE * at}": receipt.positions for at, receipt in made.items()}

    with ThreadPoolExecutor(writers) as pool, Cutter(lake, seed, every=0.5):
        receipts = {first: where for told in pool.map(write, range(writers)) for first, where in told.items()}
    assert_holds(machines, receipts)
    for machine in lake:
        machine.catalog.judge = pass_all
    for number in range(writers):
        told = [append_batch(lake[(number + 1) % writers], at, name=f"w{number}-") for at in range(batches)]
        assert [receipt.duplicate_count for receipt in told] == [SIZE] * batches
        assert [list(receipt.positions) for receipt in told] == [
            list(receipts[f"w{number}-{SIZE * at}"]) for at in range(batches)
        ]
    assert_holds(machines, receipts)
    assert_verified(lake[0])


@pytest.mark.parametrize("seed", range(1))
def test_three_computers_that_write_at_once_with_connections_cut_lose_and_double_nothing(
    machines: Machines, seed: int
) -> None:
    write_in_bad_weather(machines, seed, writers=3, batches=4)


def test_an_index_published_and_fetched_while_connections_are_cut_costs_time_and_no_answer(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.eventlog.index.published.COMMITS", 2)
    for module in ("index.published", "store"):
        monkeypatch.setattr(f"workbench.eventlog.{module}.WORTH_FETCHING", 1)
    writer = machines.add()
    with Cutter([writer], 1, every=0.2):
        receipts = {f"e-{SIZE * at}": append_batch(writer, at, name="e-").positions for at in range(8)}
    for _ in range(3):
        fresh = machines.add()
        with Cutter([fresh], 2, every=0.1):
            again = [append_batch(fresh, at, name="e-") for at in range(8)]
        assert [list(receipt.positions) for receipt in again] == [list(where) for where in receipts.values()]
    assert_holds(machines, receipts)
