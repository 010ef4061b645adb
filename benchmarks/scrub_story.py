"""A bank whose clocks are as they are: 1 % of events late, 0.1 % in the far future, 0.1 % in 1970.

Recording times go on evenly over a year; an event occurs shortly before it is recorded, if its clock is right.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks import data, logs
from benchmarks.places import cached_folder

DAY: Final = 24 * 3600 * 1_000_000
LATE: Final = 30 * DAY
WIDEST: Final = (1 << 24) // 1000
ODD: Final = 12
DECADES: Final = 60 * 365 * DAY
MAPPING: Final = logs.MAPPING + 'recorded_at = "recorded_at"\n'
INSTANT: Final = pa.timestamp("us", tz="UTC")
PROJECTION: Final = {
    "name": "account",
    "fields": {
        "balance": {
            "rule": "sum",
            "kind": "integer",
            "event_types": ["MoneyDeposited", "CardUsed"],
            "value": "data.amount",
        },
        "channel": {"rule": "last", "kind": "text", "value": "data.channel"},
        "stage": {
            "rule": "machine",
            "event_types": ["LimitChanged", "LetterSent", "AddressChanged", "BalanceChecked"],
            "value": "event_type",
        },
        "events": {"rule": "count", "from": [{}]},
    },
}


class ScrubStory(data.Story, frozen=True, kw_only=True):
    """A story whose events have a recording time, and occur when their producers' clocks said."""

    seed: int = 11

    def rows(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Return the events with these numbers, in the producer's columns and with ``recorded_at``."""
        plain = super().rows(numbers)
        recorded = plain["occurred_at"].cast(pa.int64()).to_numpy()
        # A recording time a second: commits take in what came meanwhile.
        recorded = recorded // 1_000_000 * 1_000_000
        # Of a thousand events one is in the far future, one in 1970 and ten are late.
        drawn = (np.asarray(numbers, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
        share, spread = (drawn % np.uint64(1000)).astype(np.int64), (drawn // np.uint64(1000)).astype(np.int64)
        odd = np.choose(np.minimum(share, 2), [recorded + DECADES, spread * 1000, recorded - spread * (LATE // WIDEST)])
        occurred = np.where(share < ODD, odd, recorded - spread)
        times = {"occurred_at": occurred, "recorded_at": recorded}
        rows = plain.drop_columns(["occurred_at"])
        for name, column in times.items():
            rows = rows.append_column(name, pa.array(column).cast(INSTANT))
        return rows


def cached_scrub_log(total: int) -> Path:
    """Return the folder of a log of so many events, 50 an entity, maintained; built when it is not there."""
    story = make_story(total)
    name, parameters = logs.log_name(story)
    return cached_folder(f"scrub-{name}", parameters, lambda folder: build(folder / logs.LOG, story)) / logs.LOG


def make_story(total: int) -> ScrubStory:
    """Return the story of a log of so many events."""
    return ScrubStory(total=total, streams=max(1, total // 50))


def build(folder: Path, story: ScrubStory) -> None:
    """Ingest the story and bring up the layout by stream."""
    folder.mkdir(parents=True, exist_ok=True)
    with logs.open_log(folder) as session:
        logs.ingest_story(session, folder, story, columns=MAPPING)
        session.maintain()
