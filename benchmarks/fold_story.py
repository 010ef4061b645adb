"""Accounts to fold: deposits of two schema versions, withdrawals that are cancelled, a limit that is null, a status."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.data import CHUNK, SOURCE, SPAN, START, hex_text
from benchmarks.places import cached_folder

if TYPE_CHECKING:
    from workbench.replay.projection import Projection
    from workbench.session import Session

VERSION: Final = 2
# Types by their share of a hundred events.
SHARES: Final = {
    "MoneyDeposited": 34,
    "MoneyWithdrawn": 27,
    "BalanceChecked": 14,
    "StatusChanged": 11,
    "LetterSent": 6,
    "LimitChanged": 4,
    "WithdrawalCancelled": 3,
    "AddressChanged": 1,
}
TYPES: Final = np.repeat(np.arange(len(SHARES)), list(SHARES.values()))
NAMES: Final = list(SHARES)
CANCEL: Final = NAMES.index("WithdrawalCancelled")
WITHDRAWAL: Final = NAMES.index("MoneyWithdrawn")
STATUSES: Final = ("active", "frozen", "review", "closed")
# One deposit in two was written in the first version, whose amount was called sum.
DEPOSIT: Final = """\
event_type = "MoneyDeposited"
current = 2

[[hop]]
from = 1
to = 2
steps = [{ rename = "sum", to = "amount" }]
"""
COLUMNS: Final = ("event_id", "source", "stream_id", "event_type", "schema_version", "occurred_at", "data")
PROJECTION: Final[dict[str, Any]] = {
    "name": "account",
    "cancels": {"event_types": ["WithdrawalCancelled"], "target": "data.cancels"},
    "fields": {
        "balance": {
            "rule": "sum",
            "kind": "decimal",
            "scale": 2,
            "from": [
                {"event_types": ["MoneyDeposited"], "value": "data.amount"},
                {"event_types": ["MoneyWithdrawn"], "value": "data.amount", "removes": True},
            ],
        },
        "credit": {
            "rule": "last",
            "kind": "decimal",
            "scale": 2,
            "event_types": ["LimitChanged"],
            "value": "data.limit",
        },
        "status": {
            "rule": "machine",
            "event_types": ["StatusChanged"],
            "value": "data.status",
            "moves": {**{name: list(STATUSES) for name in STATUSES[:3]}, "closed": ["active"]},
        },
    },
}


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """A log of ``total`` events over ``streams`` accounts in a year, in the order of their time."""

    total: int
    streams: int
    seed: int = 11

    def mix(self, numbers: NDArray[np.int64], salt: int) -> NDArray[np.uint64]:
        """Return a scramble of event numbers (the finaliser of SplitMix64, Steele et al. 2014)."""
        mixed = numbers.astype(np.uint64) * np.uint64(16) + np.uint64(salt + (self.seed << 50))
        mixed = mixed + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))

    def kinds(self, numbers: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the type of each event as its place in SHARES."""
        return TYPES[(self.mix(numbers, 0) % np.uint64(100)).astype(np.intp)]

    def targets(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return, for cancels, the numbers of the withdrawals they cancel; of an event without one its own number."""
        back = (self.mix(numbers, 1) % np.uint64(50_000)).astype(np.int64)
        found, targets = np.zeros(len(numbers), bool), numbers.copy()
        for step in range(1, 40):
            candidates = numbers - back - step
            fits = ~found & (candidates >= 0) & (self.kinds(np.maximum(candidates, 0)) == WITHDRAWAL)
            targets[fits], found = candidates[fits], found | fits
        return targets

    def rows(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Return the events with these numbers, in the producer's columns."""
        kinds = self.kinds(numbers)
        is_cancel = kinds == CANCEL
        owners = numbers.copy()
        owners[is_cancel] = self.targets(numbers[is_cancel])
        versions = np.where((kinds == 0) & (self.mix(numbers, 2) % np.uint64(2) == 0), 1, 2)
        versions[kinds != 0] = 1
        streams = (self.mix(owners, 3) % np.uint64(self.streams)).astype(np.int64)
        columns = {
            "event_id": hex_text(self.mix(numbers, 4)),
            "source": pa.repeat(SOURCE, len(numbers)),
            "stream_id": pc.binary_join_element_wise("account-", pa.array(streams).cast(pa.string()), ""),
            "event_type": pa.DictionaryArray.from_arrays(pa.array(kinds), pa.array(NAMES)).cast(pa.string()),
            "schema_version": pa.array(versions, pa.int32()),
            "occurred_at": self.times(numbers),
            "data": self.payloads(numbers, kinds, versions, owners),
        }
        return pa.table({name: columns[name] for name in COLUMNS})

    def times(self, numbers: NDArray[np.int64]) -> pa.Array:
        """Return each event's occurred_at: even over the year."""
        step = (SPAN // self.total).microseconds + (SPAN // self.total).seconds * 1_000_000
        start = int(START.timestamp()) * 1_000_000
        return pa.array(numbers * step + start).cast(pa.timestamp("us", tz="UTC"))

    def payloads(
        self,
        numbers: NDArray[np.int64],
        kinds: NDArray[np.intp],
        versions: NDArray[np.int64],
        owners: NDArray[np.int64],
    ) -> pa.Array:
        """Return payloads of 40 to 90 bytes."""
        cents = (self.mix(numbers, 5) % np.uint64(500_000)).astype(np.int64)
        amounts = money(cents)
        reference = hex_text(self.mix(numbers, 6))
        chosen = (self.mix(numbers, 7) % np.uint64(300)).astype(np.int64)
        # One account in a hundred is closed; its next status is mostly no legal move.
        states = pa.array(np.where(chosen % 100 == 0, 3, chosen % 3))
        status = pa.DictionaryArray.from_arrays(states, pa.array(list(STATUSES))).cast(pa.string())
        limit = pc.if_else(pa.array(chosen % 5 == 0), "null", pc.binary_join_element_wise('"', amounts, '"', ""))

        def join(*parts: Any) -> pa.Array:
            return pc.binary_join_element_wise(*parts, "")

        tail = join('","currency":"EUR","channel":"web","reference":"', reference, '"}')
        member = pc.if_else(pa.array((kinds == 0) & (versions == 1)), '{"sum":"', '{"amount":"')
        return pc.case_when(
            pc.make_struct(*(pa.array(kinds == NAMES.index(name)) for name in NAMES[:2] + NAMES[3:4] + NAMES[5:7])),
            join(member, amounts, tail),
            join(member, amounts, tail),
            join('{"status":"', status, '","reference":"', reference, '"}'),
            join('{"limit":', limit, ',"currency":"EUR"}'),
            # Where there is nothing to cancel yet, it names an event that never was.
            join('{"cancels":"', hex_text(np.where(owners == numbers, self.mix(owners, 8), self.mix(owners, 4))), '"}'),
            join('{"note":"', reference, '"}'),
        )


def money(cents: NDArray[np.int64]) -> pa.Array:
    """Return amounts as decimal texts with two places."""
    whole, part = pa.array(cents // 100).cast(pa.string()), pa.array(cents % 100).cast(pa.string())
    return pc.binary_join_element_wise(whole, ".", pc.ascii_lpad(part, 2, "0"), "")


def projection() -> "Projection":
    """Return the projection that is measured."""
    from workbench.replay.declaration import make_projection

    return make_projection(PROJECTION)


@contextmanager
def open_accounts(story: Accounts) -> Iterator["Session"]:
    """Yield a session on the log of a story, built through ingest when it is not there."""
    parameters = {"total": story.total, "streams": story.streams, "seed": story.seed, "story": VERSION}
    folder = cached_folder(f"accounts-{story.total}", parameters, lambda place: build_accounts(place, story))
    with open_session(folder) as session:
        session.head()
        yield session


def open_session(folder: Path) -> "Session":
    """Return a session on the log in a folder; its deposits are lifted from their first version."""
    import workbench

    return workbench.connect(folder / "log")


def build_accounts(folder: Path, story: Accounts) -> None:
    """Ingest a story; an event's position is its number."""
    schemas = folder / "log" / "schemas"
    schemas.mkdir(parents=True)
    (schemas / "MoneyDeposited.toml").write_text(DEPOSIT, encoding="utf-8")
    mapping, rows = folder / "story.toml", folder / "story.parquet"
    lines = [f'{name} = "{name}"' for name in COLUMNS]
    mapping.write_text("\n".join(["[columns]", *lines]), encoding="utf-8")
    with open_session(folder) as session:
        for first in range(0, story.total, 5_000_000):
            last = min(story.total, first + 5_000_000)
            with pq.ParquetWriter(rows, story.rows(np.arange(1)).schema, compression="zstd") as writer:
                for begin in range(first, last, CHUNK):
                    writer.write_table(story.rows(np.arange(begin, min(begin + CHUNK, last), dtype=np.int64)))
            report = session.ingest(rows, mapping=mapping)
            if report.appended != last - first:
                raise RuntimeError(f"{folder}: {last - first} events were to be ingested, the report says {report}.")
    rows.unlink()
