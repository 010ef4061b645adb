import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from benchmarks.data import SHARES, Story, cloud_events, hex_text

STORY = Story(total=10_000, streams=200)


def test_an_event_is_the_same_alone_and_in_a_chunk() -> None:
    whole = pa.concat_tables(STORY.chunks())
    numbers = np.array([9_999, 0, 4_321])
    assert STORY.rows(numbers).equals(whole.take(pa.array(numbers)).combine_chunks())


def test_every_event_has_an_id_of_its_own_also_beyond_the_total() -> None:
    ids = STORY.rows(np.arange(STORY.total + 5_000))["event_id"]
    assert pc.count_distinct(ids).as_py() == STORY.total + 5_000


def test_events_come_in_the_order_of_their_time() -> None:
    times = STORY.rows(np.arange(STORY.total))["occurred_at"].cast(pa.int64()).to_numpy()
    assert (np.diff(times) >= 0).all()


def test_types_have_their_shares_and_streams_are_all_used() -> None:
    rows = STORY.rows(np.arange(STORY.total))
    counts = {count["values"]: count["counts"] for count in rows["event_type"].value_counts().to_pylist()}
    assert {name: round(counts[name] / STORY.total * 100) for name in SHARES} == SHARES
    assert pc.count_distinct(rows["stream_id"]).as_py() == STORY.streams


def test_another_seed_tells_another_story() -> None:
    other = Story(total=10_000, streams=200, seed=8)
    assert not other.rows(np.arange(10)).equals(STORY.rows(np.arange(10)))


def test_the_official_sdk_reads_every_line_as_the_event_it_was_made_of() -> None:
    rows = STORY.rows(np.arange(20))
    for line, row in zip(cloud_events(rows).to_pylist(), rows.to_pylist(), strict=True):
        event = JSONFormat().read(CloudEvent, line)
        assert (event.get_id(), event.get_subject(), event.get_time()) == (
            row["event_id"],
            row["stream_id"],
            row["occurred_at"],
        )
        assert event.get_data() == json.loads(row["data"])


def test_a_word_is_sixteen_hexadecimal_digits() -> None:
    words = np.array([0, 2**64 - 1, 1], dtype=np.uint64)
    assert hex_text(words).to_pylist() == ["0" * 16, "f" * 16, "01" + "0" * 14]
