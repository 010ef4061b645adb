"""What became of the texts that writers took from GPT-3 (CoAuthor), against the figures published for the log."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from workbench.deltas.document.documents import Document, write_text
from workbench.deltas.document.spans import Followed, Span, Taken, follow_document
from workbench.deltas.document.steps import trace_text
from workbench.deltas.figures.statistics import bootstrap_difference, kaplan_meier, survive, wilson
from workbench.deltas.text.metrics import measure_pairs

pytestmark = pytest.mark.data
KINDS = {"user": "human", "api": "ai"}


class Session(NamedTuple):
    """A writing session: its document, and by the position of each proposal the texts taken from it."""

    person: str
    version: str
    document: Document
    takings: list[tuple[int, Taken]]
    shown: dict[int, str]
    followed: Followed


@pytest.fixture(scope="module")
def sessions(shared_data: Path) -> list[Session]:
    folder = shared_data / "coauthor-argumentative"
    people = dict(pl.read_csv(folder / "sessions.csv").select("session_id", "worker_id").iter_rows())
    events = pl.read_parquet(folder / "events.parquet").sort("session_id", "event_num").with_row_index("position")
    return [
        read_session(people[str(session)], rows)
        for (session,), rows in events.group_by("session_id", maintain_order=True)
    ]


def read_session(person: str, rows: pl.DataFrame) -> Session:
    document = Document(
        positions=rows["position"].to_list(),
        moments=(rows["event_timestamp_ms"] * 1_000).to_list(),
        kinds=[KINDS[source] for source in rows["event_source"]],
        deltas=rows["text_delta"].to_list(),
        start=rows["current_doc"][0],
    )
    shown: dict[int, str] = {}
    takings: list[tuple[int, Taken]] = []
    decided_at = 0
    for position, moment, name, kind in zip(
        document.positions, document.moments, rows["event_name"], document.kinds, strict=True
    ):
        if name == "suggestion-open":
            shown[position] = "expired"
        elif name == "suggestion-select":
            decided_at, shown[max(shown)] = moment, "taken"
        elif name == "suggestion-close" and shown and shown[max(shown)] == "expired":
            shown[max(shown)] = "rejected"
        elif name == "text-insert" and kind == "ai":
            takings.append((max(shown), Taken(position, decided_at)))
    followed = follow_document(document, [taken for _, taken in takings])
    return Session(person, rows["temperature"][0], document, takings, shown, followed)


def list_spans(sessions: list[Session]) -> Iterator[tuple[Session, int, Span]]:
    for session in sessions:
        for (proposal, _), span in zip(session.takings, session.followed.spans, strict=True):
            assert span is not None
            yield session, proposal, span


def judge(sessions: list[Session]) -> pl.DataFrame:
    """Return one row a proposal, in the order of the log: the first taking from it counts."""
    first = {proposal: span for _, proposal, span in reversed(list(list_spans(sessions)))}
    rows = []
    for session in sessions:
        for proposal, found in session.shown.items():
            span = first.get(proposal)
            is_edited = span is not None and span.first_change is not None and span.first_change <= 120
            decision = found if span is None else "edited" if is_edited else "accepted"
            rows.append((session.person, session.version, 2 if session.version == "0.9" else 1, decision))
    return pl.DataFrame(rows, schema=["person", "version", "side", "decision"], orient="row").with_columns(
        pl.lit(1).alias("shown"),
        *((pl.col("decision") == name).cast(pl.Int64()).alias(name) for name in ("accepted", "edited", "rejected")),
    )


def test_nine_tenths_of_the_characters_taken_stand_at_the_end(sessions: list[Session]) -> None:
    spans = list(list_spans(sessions))
    assert len(spans) == 4_649
    assert sum(span.characters_taken for *_, span in spans) == 360_494
    assert sum(span.retained_end for *_, span in spans) == 328_589
    shares = {}
    for version in ("0.9", "0.2"):
        own = [span for session, _, span in spans if session.version == version]
        shares[version] = sum(span.retained_end for span in own) / sum(span.characters_taken for span in own)
    assert {version: round(100 * value, 1) for version, value in shares.items()} == {"0.9": 91.4, "0.2": 90.7}
    assert sum(session.followed.skipped for session in sessions) == 0


def test_what_was_taken_is_edited_where_it_changed_within_two_minutes(sessions: list[Session]) -> None:
    judged = judge(sessions)
    counts = Counter(judged.select("version", "decision").iter_rows())
    decisions = ("accepted", "edited", "rejected", "expired")
    assert [counts["0.9", decision] for decision in decisions] == [1_594, 891, 738, 21]
    assert [counts["0.2", decision] for decision in decisions] == [1_274, 886, 921, 23]
    assert [round(100 * bound, 1) for bound in wilson(1_594 + 1_274, judged.height)] == [44.0, 46.4]


def test_three_unlike_counts_of_what_stayed_as_it_was(sessions: list[Session]) -> None:
    spans = list(list_spans(sessions))
    assert sum(span.first_change is None for *_, span in spans) == 2_768
    taken = [span.values[0] or "" for *_, span in spans]
    unchanged = [words.split() == span.value_end.split() for words, (*_, span) in zip(taken, spans, strict=True)]
    assert (sum(unchanged), len(spans) - sum(unchanged)) == (2_882, 1_767)


def test_the_distances_of_the_changed_fall_into_the_bars_of_the_picture(sessions: list[Session]) -> None:
    pairs = [(span.values[0] or "", span.value_end) for *_, span in list_spans(sessions)]
    bars = Counter(
        -(-20 * measures.levenshtein_words // measures.levenshtein_words_of)
        for measures in measure_pairs(pairs)
        if measures.levenshtein_words
    )
    assert [bars[twentieth] for twentieth in range(1, 21)] == [
        *(104, 238, 144, 128, 93, 62, 66, 53, 33, 70),
        *(35, 31, 29, 49, 45, 49, 61, 98, 132, 247),
    ]


def test_texts_stay_untouched_as_long_as_published(sessions: list[Session]) -> None:
    lives = pl.DataFrame(
        [
            (session.version, span.first_change or span.document_seconds, span.first_change is not None)
            for session, _, span in list_spans(sessions)
        ],
        schema=["version", "seconds", "changed"],
        orient="row",
    ).with_columns((~pl.col("changed")).alias("censored"))
    found = {}
    for (version,), own in lives.group_by("version"):
        curve = kaplan_meier(own)
        moments = [survive(curve, seconds) for seconds in (0, 30, 120, 300, 600)]
        found[version] = [reached for reached, *_ in moments], [round(100 * share, 1) for _, share, *_ in moments]
    assert found["0.9"] == ([2_486, 1_582, 1_325, 874, 79], [100.0, 66.0, 63.4, 61.9, 56.7])
    assert found["0.2"] == ([2_163, 1_290, 1_050, 705, 71], [100.0, 61.3, 58.1, 56.9, 53.6])


def test_the_two_versions_differ_as_published(sessions: list[Session]) -> None:
    judged = judge(sessions)
    assert judged["person"].n_unique() == 47
    found = {
        name: [round(100 * (value or 0), 1) for value in bootstrap_difference(judged, name, "shown")]
        for name in ("accepted", "edited", "rejected")
    }
    assert found == {"accepted": [8.1, 4.0, 13.2], "edited": [-1.1, -4.6, 1.5], "rejected": [-6.9, -10.0, -3.5]}
    order = judged.select(pl.col("person").unique(maintain_order=True))
    rows = [
        (s.person, 2 if s.version == "0.9" else 1, x.retained_end, x.characters_taken)
        for s, _, x in list_spans(sessions)
    ]
    kept = pl.DataFrame(rows, schema=["person", "side", "retained", "taken"], orient="row")
    difference, low, high = bootstrap_difference(pl.concat([order, kept], how="diagonal"), "retained", "taken")
    assert difference == pytest.approx(0.0066, abs=5e-5)
    assert low is not None
    assert high is not None
    assert low < 0 < high


def test_people_wrote_as_much_as_published(sessions: list[Session], shared_data: Path) -> None:
    published = pl.read_csv(shared_data / "coauthor-argumentative" / "sessions.csv").sort("session_id")
    shares = [session.followed.human_inserted_share for session in sessions]
    written = [round(100 * share) if share is not None else None for share in shares]
    pairs = list(zip(written, published["written_by_human"], strict=True))
    assert sum(ours == theirs for ours, theirs in pairs) >= len(pairs) - 3
    assert round(sum(theirs for _, theirs in pairs) / len(pairs), 2) == 72.50
    assert round(sum(ours or 0 for ours, _ in pairs) / len(pairs), 2) == 72.50


def test_one_taken_text_reads_as_in_the_picture(sessions: list[Session]) -> None:
    session, _, span = next(found for found in list_spans(sessions) if found[1] == 782_057)
    assert len(span.value_end) == 302
    assert span.value_end.startswith("In conclusion, I think that is why knowing ones strengths and weaknesses and")
    assert span.value_end.endswith("both in their career and also in their personal interests.")
    assert (span.characters_taken, span.retained) == (153, (153, 81, None, None, None, None))
    assert [share and round(100 * share, 1) for share in span.persistence[1:3]] == [52.9, None]
    assert (span.first_change, span.document_seconds) == (2.444, 95.657)
    assert span.human_inserted_share == pytest.approx(0.77, abs=0.005)
    assert span.human_final_share == pytest.approx(0.80, abs=0.005)
    (taken,) = [taken for proposal, taken in session.takings if proposal == 782_057]
    trace = trace_text(session.document, taken)
    assert trace is not None
    assert [(step.first_position, step.last_position, round(step.seconds, 1)) for step in trace.steps] == [
        (782_077, 782_099, 12.5),
        (782_101, 782_102, 16.4),
        (782_103, 782_244, 46.8),
        (782_250, 782_361, 95.1),
    ]
    assert trace.steps[-1].after == span.value_end
    assert len(write_text(session.document, before=782_065)) == 2_681
