import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import START, build_event
from tests.deltas.lives import BY_NAME, BY_PLACE, lives, pair_events
from workbench.deltas.mapping import DeltaMapping, make_mapping
from workbench.deltas.pairing.relations import relate_lifecycle
from workbench.event import Actor, Event
from workbench.query.base import Relation
from workbench.query.duckdb.engine import DuckDBEngine
from workbench.session import connect

COLUMNS = {
    "position": "bigint",
    "stream_version": "bigint",
    "schema_version": "integer",
    **dict.fromkeys(("occurred_at", "recorded_at"), "timestamp(6) with time zone"),
    **dict.fromkeys(("event_id", "source", "stream_id", "event_type", "actor_id", "actor_kind"), "varchar"),
    **dict.fromkeys(("correlation_id", "causation_id", "data", "metadata"), "varchar"),
}
NAMES = {"bigint": pa.int64(), "integer": pa.int32(), "varchar": pa.string()}


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(threads=2)
    yield engine
    engine.close()


def make_rows(events: Sequence[Event], *, recorded: timedelta = timedelta(minutes=6), seed: int = 0) -> pa.Table:
    """Return events as the log's rows, in any order."""
    versions: dict[str, int] = {}
    rows = []
    for position, event in enumerate(events):
        version = versions[event.stream_id] = versions.get(event.stream_id, -1) + 1
        told = {name: getattr(event, name, None) for name in COLUMNS}
        told |= {"position": position, "stream_version": version, "recorded_at": START + recorded}
        told |= {"actor_id": event.actor and event.actor.id, "actor_kind": event.actor and event.actor.kind}
        rows.append(told | {"data": msgspec.json.encode(event.data).decode(), "metadata": "{}"})
    random.Random(seed).shuffle(rows)  # noqa: S311 - any order will do
    kinds = {name: NAMES.get(kind, pa.timestamp("us", tz="UTC")) for name, kind in COLUMNS.items()}
    return pa.Table.from_pylist(rows, schema=pa.schema(kinds))


def ask(
    engine: DuckDBEngine,
    rows: pa.Table,
    mappings: Mapping[str, DeltaMapping],
    statement: str,
    up_to: int | None = None,
) -> pl.DataFrame:
    stored = Relation(name="events_stored", columns=COLUMNS, version="1", arrow=lambda: rows)
    relations = {"events_stored": stored, **relate_lifecycle(mappings, up_to=up_to)}
    return engine.query(statement, {}, relations)


def ask_all(engine: DuckDBEngine, mapping: DeltaMapping, rows: pa.Table) -> tuple[list[dict[str, Any]], ...]:
    def rows_of(name: str) -> list[dict[str, Any]]:
        return ask(engine, rows, {mapping.name: mapping}, f"select * from {name} order by position").to_dicts()  # noqa: S608 - our own words

    proposals, decisions, requests = map(rows_of, ("proposals", "decisions", "requests"))
    names = {"asked": "requested_position", "applied": "applied_position"}
    wanted = ("decision", "decision_position", "reason", "latency", "decision_count", "superseded_by", "position")
    read = [
        {
            **{name: row[name] for name in wanted},
            **{name: row[column] for name, column in names.items()},
            "content": msgspec.json.decode(row["content"]),
        }
        for row in proposals
    ]
    told = [
        {name: row[name] for name in ("position", "decision", "proposal_position", "ordinal")}
        | {"value": None if row["value"] is None else msgspec.json.decode(row["value"])}
        for row in decisions
    ]
    asked = [{name: row[name] for name in ("position", "proposal_position")} for row in requests]
    return read, told, asked


@pytest.mark.parametrize("mapping", [BY_NAME, BY_PLACE], ids=lambda mapping: mapping.name)
@settings(max_examples=60)
@given(events=lives(), seed=st.integers(0, 9))
def test_the_relations_say_what_a_plain_loop_over_the_log_says(
    engine: DuckDBEngine, mapping: DeltaMapping, events: list[Event], seed: int
) -> None:
    found = ask_all(engine, mapping, make_rows(events, seed=seed))
    assert found == pair_events(mapping, events)


PROPOSED = build_event(event_id="p", event_type="Proposed", occurred_at=START, data={"id": "a", "text": "t"})
MAPPINGS = {BY_NAME.name: BY_NAME}


@pytest.mark.parametrize(("minutes", "decision"), [(59, "pending"), (60, "expired"), (61, "expired")])
def test_what_waits_longer_than_its_time_has_expired(engine: DuckDBEngine, minutes: int, decision: str) -> None:
    rows = make_rows([PROPOSED], recorded=timedelta(minutes=minutes))
    assert ask(engine, rows, MAPPINGS, "select decision from proposals").item() == decision


def test_a_clock_that_goes_back_gives_no_latency(engine: DuckDBEngine) -> None:
    early = build_event(event_type="Accepted", occurred_at=START - timedelta(seconds=1), data={"of": "a"})
    rows = make_rows([PROPOSED, early])
    told = ask(engine, rows, MAPPINGS, "select latency, decided_at < shown_at as went_back, decision from proposals")
    assert told.row(0) == (None, True, "accepted")


def test_latency_is_in_seconds_to_the_millisecond(engine: DuckDBEngine) -> None:
    late = build_event(
        event_type="Accepted", occurred_at=START + timedelta(seconds=1, microseconds=2999), data={"of": "a"}
    )
    assert ask(engine, make_rows([PROPOSED, late]), MAPPINGS, "select latency from proposals").item() == 1.002


def test_a_decision_that_names_no_proposal_is_listed(engine: DuckDBEngine) -> None:
    orphans = [build_event(event_type="Accepted", data={"of": name}) for name in ("nobody", None)]
    told = ask(
        engine,
        make_rows(orphans),
        MAPPINGS,
        "select proposal_position, ordinal, names from decisions order by position",
    )
    assert told.rows() == [(None, None, "nobody"), (None, None, None)]


def test_what_counts_is_the_first_that_is_no_rejection(engine: DuckDBEngine) -> None:
    people = [("Rejected", "ann"), ("Edited", "bob"), ("Accepted", "cy")]
    decided = [build_event(event_type=kind, actor=Actor(who, "human"), data={"of": "a"}) for kind, who in people]
    rows = make_rows([PROPOSED, *decided])
    told = ask(engine, rows, MAPPINGS, "select decision, person, decision_count from proposals")
    assert told.row(0) == ("edited", "bob", 3)
    assert ask(engine, rows, MAPPINGS, "select person, ordinal from decisions order by ordinal").rows() == [
        ("bob", 1),
        ("cy", 2),
        ("ann", 3),
    ]


def test_a_cut_leaves_out_what_came_later(engine: DuckDBEngine) -> None:
    accepted = build_event(event_type="Accepted", data={"of": "a"})
    rows = make_rows([PROPOSED, accepted])
    statement = "select decision, (select count(*) from decisions) as decisions from proposals"
    assert ask(engine, rows, MAPPINGS, statement, up_to=0).row(0) == ("pending", 0)
    assert ask(engine, rows, MAPPINGS, statement, up_to=1).row(0) == ("accepted", 1)


ANSWERS = {
    "proposed": ["Shown"],
    "accepted": ["Taken"],
    "pair": "next",
    "alternatives": {"list": "data.list", "content": "text", "confidence": "p", "taken": "data.index"},
}


@pytest.mark.parametrize(
    ("items", "index", "expected"),
    [
        ([{"text": "a", "p": 0.5}, {"text": "b", "p": "0.25"}], 1, (2, 1, '"b"', 0.25, '"b"')),
        ([{"text": "a", "p": 0.5}, {"text": "b"}], 7, (2, None, '"a"', 0.5, '"a"')),
        ([{"text": "a"}], None, (1, 0, '"a"', None, '"a"')),
        ([], 0, (0, None, None, None, None)),
        ("no list", 0, (None, None, None, None, None)),
    ],
)
def test_alternatives_are_told_by_the_index_that_the_decision_names(
    engine: DuckDBEngine, items: Any, index: Any, expected: Any
) -> None:
    events = [
        build_event(event_type="Shown", data={"list": items}),
        build_event(event_type="Taken", data={"index": index}),
    ]
    mappings = {"answer": make_mapping("answer", ANSWERS)}
    rows = make_rows(events)
    told = ask(engine, rows, mappings, "select alternative_count, taken, content, confidence, value from proposals")
    assert told.row(0) == expected
    assert ask(engine, rows, mappings, "select value from decisions").item() == (expected[4] if index != 7 else None)


def test_an_alternative_is_told_by_the_text_applied_not_by_the_one_hovered(engine: DuckDBEngine) -> None:
    applied = {"events": ["Put"], "delta": "data.delta"}
    alternatives = {"list": "data.list"}
    mapping = make_mapping("a", {**ANSWERS, "alternatives": alternatives, "hovered": "data.at", "applied": applied})
    told = []
    for at, text in ((0, " two\n"), (1, "two"), (-1, "one"), (None, "three"), (0, "")):
        events = [
            build_event(event_type="Shown", data={"list": ["one", "two"]}),
            build_event(event_type="Taken", data={"at": at}),
            build_event(event_type="Put", data={"delta": [{"retain": 1}, {"insert": text}]}),
        ]
        statement = "select hovered, taken, content, value from proposals"
        told.append(ask(engine, make_rows(events), {"a": mapping}, statement).row(0))
    assert told == [
        (0, 1, '"two"', '" two\\n"'),
        (1, 1, '"two"', '"two"'),
        (-1, 0, '"one"', '"one"'),
        (None, None, '"one"', '"three"'),
        (0, None, '"one"', '"one"'),
    ]


def test_further_columns_and_reasons_are_read_where_they_stand(engine: DuckDBEngine) -> None:
    mapping = make_mapping(
        "all",
        {
            "proposed": ["Shown"],
            "proposer": "ai",
            "rejected": ["Refused"],
            "names": "causation_id",
            "content": ["data.a", "metadata.b"],
            "rationale": "data.why",
            "confidence": "data.sure",
            "model": "actor_id",
            "reason": ["data.reason", "data.remark"],
            "fields": {"opened": "first.data.by", "kind": "actor_kind", "list": "data.why"},
        },
    )
    events = [
        build_event(event_type="Opened", data={"by": {"x": 1}}),
        build_event(
            event_id="s", event_type="Shown", actor=Actor("m", "ai"), data={"a": None, "why": ["x"], "sure": "0.5"}
        ),
        build_event(event_type="Shown", actor=Actor("ann", "human"), data={"a": 1}),
        build_event(event_type="Refused", causation_id="s", data={"remark": 5}),
    ]
    told = ask(engine, make_rows(events), {"all": mapping}, "select * from proposals").to_dicts()
    names = ("content", "rationale", "confidence", "model", "reason", "fields", "decision")
    assert [[row[name] for name in names] for row in told] == [
        ['{"a":null}', '["x"]', 0.5, "m", "5", '{"opened":{"x":1},"kind":"ai","list":["x"]}', "rejected"]
    ]


def test_a_kind_without_decisions_or_requests_is_possible(engine: DuckDBEngine) -> None:
    mapping = make_mapping("alone", {"proposed": ["Proposed"], "content": "data.text"})
    rows = make_rows([PROPOSED])
    assert ask(engine, rows, {"alone": mapping}, "select decision, fields from proposals").row(0) == ("pending", "{}")
    for name in ("decisions", "requests"):
        assert ask(engine, rows, {"alone": mapping}, f"select * from {name}").is_empty()  # noqa: S608 - our own words


def test_without_mappings_the_relations_are_empty(engine: DuckDBEngine) -> None:
    assert ask(engine, make_rows([PROPOSED]), {}, "select * from proposals").is_empty()


def test_by_name_what_is_applied_follows_the_taking_in_its_stream(engine: DuckDBEngine) -> None:
    applied = {"events": ["Put"], "delta": "data.delta"}
    listed = {"list": "data.list", "confidence": "p", "content": "t"}
    table = {**NAMED, "alternatives": listed, "confidence": "schema_version", "applied": applied}
    shown = {"event_type": "Proposed", "data": {"list": [{"t": "a"}, {"t": "b", "p": 0.5}]}}
    events = [
        build_event(event_id="one", **shown),
        build_event(event_id="two", **shown),
        build_event(event_type="Put", data={"delta": [{"insert": "before"}]}),
        build_event(event_type="Accepted", causation_id="one", data={}),
        build_event(event_type="Put", data={"delta": [{"insert": "b"}]}),
        build_event(event_type="Accepted", causation_id="nobody", data={}),
        build_event(event_type="Put", data={"delta": [{"insert": "else"}]}),
    ]
    statement = "select taken, value, confidence, applied_position, decision from proposals order by position"
    told = ask(engine, make_rows(events), {"named": make_mapping("named", table)}, statement)
    assert told.rows() == [(1, '"b"', 0.5, 4, "accepted"), (None, None, 1.0, None, "pending")]
    values = ask(engine, make_rows(events), {"named": make_mapping("named", table)}, "select value from decisions")
    assert sorted(values["value"].to_list()) == ['"b"', '"else"']


NAMED = {"proposed": ["Proposed"], "accepted": ["Accepted"], "content": "data.amount"}


@pytest.mark.parametrize("steps", ['[{ rename = "sum", to = "amount" }]', '[{ python = "own:rename" }]'])
def test_old_payloads_are_read_as_their_type_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: str
) -> None:
    """By an expression over what was written, or, where SQL has none, as `events` lifts it."""
    for name in ("schemas", "deltas"):
        (tmp_path / name).mkdir()
    (tmp_path / "schemas" / "own.py").write_text('def rename(data):\n    return {"amount": data["sum"]}\n')
    (tmp_path / "schemas" / "proposed.toml").write_text(
        f'event_type = "Proposed"\ncurrent = 2\n[[hop]]\nfrom = 1\nto = 2\nsteps = {steps}\n'
    )
    (tmp_path / "deltas" / "sum.toml").write_text(
        'proposed = ["Proposed"]\naccepted = ["A"]\ncontent = "data.amount"\n'
    )
    monkeypatch.setenv("WORKBENCH_PYTHON_STEPS", "1")
    with connect(tmp_path) as session:
        session.append([build_event(event_type="Proposed", schema_version=1, data={"sum": "5"})])
        assert session.sql("select content from proposals").item() == '"5"'
