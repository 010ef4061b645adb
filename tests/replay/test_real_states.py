"""States of real logs: a bank's applications, held to a plain fold written here, and texts grown key by key."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

import workbench
from tests.published import RealLogs
from workbench.replay.declaration import load_projection
from workbench.session import Session

pytestmark = pytest.mark.data
INSTANTS: Final = 20
APPLICATION: Final = {
    "A_SUBMITTED": "submitted",
    "A_PARTLYSUBMITTED": "partly_submitted",
    "A_PREACCEPTED": "preaccepted",
    "A_ACCEPTED": "accepted",
    "A_FINALIZED": "finalized",
    "A_APPROVED": "approved",
    "A_REGISTERED": "registered",
    "A_ACTIVATED": "activated",
    "A_DECLINED": "declined",
    "A_CANCELLED": "cancelled",
}
WORK: Final = {
    "W_Completeren aanvraag": "complete_application",
    "W_Nabellen offertes": "call_after_offer",
    "W_Valideren aanvraag": "validate_application",
    "W_Nabellen incomplete dossiers": "call_incomplete_file",
    "W_Afhandelen leads": "handle_lead",
    "W_Beoordelen fraude": "assess_fraud",
}
STEPS: Final = {"SCHEDULE": "scheduled", "START": "started", "COMPLETE": "completed"}


@pytest.fixture(scope="module")
def bank(real_logs: RealLogs) -> Iterator[Session]:
    with workbench.connect(real_logs.take("bank").folder) as session:
        yield session


@pytest.fixture(scope="module")
def writers(real_logs: RealLogs) -> Iterator[Session]:
    with workbench.connect(real_logs.take("writers").folder) as session:
        yield session


def read_bank(session: Session) -> list[tuple[Any, ...]]:
    """Every event: stream, type, time, actor, step of its lifecycle, amount asked for."""
    return session.sql(
        "select stream_id, event_type, occurred_at, actor_id, "
        """json_extract_scalar(data, '$["lifecycle:transition"]') as step, """
        "json_extract_scalar(metadata, '$.trace.AMOUNT_REQ') as amount from events order by position"
    ).rows()


def start_application() -> dict[str, Any]:
    fields = ("application", "amount_requested", "offer", "booked", "in_hand_of", *WORK.values())
    counts = {"offers_made": 0, "offers_cancelled": 0, "calls": 0}
    return {**dict.fromkeys(fields), **counts, "open_work": set(), "handled_by": set(), "event_count": 0}


def take(state: dict[str, Any], event: tuple[Any, ...]) -> None:
    """What an event means for an application, written down plainly."""
    _, event_type, occurred_at, actor, step, amount = event
    if event_type in APPLICATION:
        state["application"] = APPLICATION[event_type]
    if event_type == "A_SUBMITTED":
        state["amount_requested"] = int(amount)
    if event_type == "A_REGISTERED" and state["booked"] is None:
        state["booked"] = occurred_at
    if event_type.startswith("O_"):
        state["offer"] = event_type[2:].lower()
    state["offers_made"] += event_type == "O_CREATED"
    state["offers_cancelled"] += event_type == "O_CANCELLED"
    if event_type in WORK:
        work(state, WORK[event_type], step, actor)
    state["event_count"] += event_type != "W_Wijzigen contractgegevens"


def work(state: dict[str, Any], name: str, step: str, actor: str | None) -> None:
    state[name] = STEPS[step]
    if step == "COMPLETE":
        state["open_work"].discard(name)
        state["in_hand_of"] = None
        return
    state["open_work"].add(name)
    if step == "START":
        state["calls"] += name in ("call_after_offer", "call_incomplete_file")
        if actor is not None:
            state["in_hand_of"] = actor
            state["handled_by"].add(actor)


def fold_bank(events: list[tuple[Any, ...]], instants: list[datetime]) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """What the applications are at each instant, by name. Time never runs back in one of them, so one pass will do."""
    states: dict[str, dict[str, Any]] = {}
    since = datetime.min.replace(tzinfo=UTC)
    for as_of in instants:
        for event in events:
            if since < event[2] <= as_of:
                take(states.setdefault(event[0], start_application()), event)
        yield sorted((name, state) for name, state in states.items() if state["event_count"])
        since = as_of


def write_set(names: set[str]) -> str:
    return json.dumps(sorted(names), separators=(",", ":"))


def test_all_applications_at_twenty_instants(bank: Session, repository: Path) -> None:
    projection = load_projection(repository / "datasets" / "projections" / "application.toml")
    assert len(projection.fields) == 16
    events = read_bank(bank)
    first, last = min(event[2] for event in events), max(event[2] for event in events)
    instants = [first + (last - first) * number / INSTANTS for number in range(1, INSTANTS + 1)]
    for as_of, expected in zip(instants, fold_bank(events, instants), strict=True):
        states = bank.state(projection, as_of=as_of)
        assert states["entity_id"].to_list() == [entity for entity, _ in expected]
        for name in (*(field.name for field in projection.fields), "event_count"):
            values = [state[name] for _, state in expected]
            wanted = [write_set(value) for value in values] if name in ("open_work", "handled_by") else values
            assert states[name].to_list() == wanted, (name, as_of)
    assert states.height == 13_087


def test_moves_outside_the_machines_are_listed_where_they_happened(bank: Session, repository: Path) -> None:
    projection = load_projection(repository / "datasets" / "projections" / "application.toml")
    offer = projection.field("offer")
    moves = dict(offer.moves or {})
    expected: dict[str, list[Any]] = {}
    state: dict[str, str] = {}
    for position, (stream, event_type, *_) in enumerate(read_bank(bank)):
        if event_type.startswith("O_"):
            after = event_type[2:].lower()
            before = state.get(stream)
            if before is not None and after not in moves[before]:
                expected.setdefault(stream, []).append([position, before, after])
            state[stream] = after
    notes = bank.state(projection).filter(pl.col("notes").is_not_null()).select("entity_id", "notes")
    found = {name: json.loads(text).get("offer", {}).get("illegal") for name, text in notes.rows()}
    assert {name: listed for name, listed in found.items() if listed} == expected
    assert sum(map(len, expected.values())) > 100


def test_every_document_is_rebuilt_from_its_keystrokes(writers: Session, repository: Path) -> None:
    projection = load_projection(repository / "datasets" / "projections" / "document-text.toml")
    documents = writers.state(projection)
    texts = [json.loads(text) for text in documents["text"]]
    retained = sum(length for text in texts for author, length in text["spans"] if author == "ai")
    assert documents.height == 615
    assert documents["notes"].null_count() == 615
    assert sum(len(text["text"].encode("utf-16-le")) // 2 for text in texts) == 1_438_511
    assert retained == 328_589
    assert count_inserted(writers) == 360_494


def count_inserted(session: Session) -> int:
    """How many characters the AI ever put in."""
    deltas = session.sql(
        "select json_format(json_extract(data, '$.text_delta')) as delta from events where event_type = 'text-insert' "
        "and actor_kind = 'ai'"
    )["delta"]
    return sum(
        len(operation.get("insert", "").encode("utf-16-le")) // 2
        for delta in deltas
        for operation in json.loads(delta)["ops"]
    )


def test_a_document_at_a_given_keystroke(writers: Session, repository: Path) -> None:
    """The first key strokes of a session, put on its prompt by hand."""
    projection = load_projection(repository / "datasets" / "projections" / "document-text.toml")
    strokes = writers.sql(
        "select stream_id, position, event_type, json_extract_scalar(data, '$.current_doc') as prompt, "
        "json_format(json_extract(data, '$.text_delta')) as delta from events where stream_id = "
        "(select min(stream_id) from events) order by position limit 200"
    )
    stream, text = strokes["stream_id"][0], ""
    for _, position, event_type, prompt, delta in strokes.rows():
        if event_type == "system-initialize":
            text = prompt
        if delta is not None:
            text = edit(text, json.loads(delta)["ops"])
        if position % 20 == 0:
            found = writers.state(projection, position=position, stream_id=stream)
            assert json.loads(found["text"][0])["text"] == text


def edit(text: str, operations: list[dict[str, Any]]) -> str:
    made, at = "", 0
    for operation in operations:
        if "insert" in operation:
            made += operation["insert"]
        elif "retain" in operation:
            made, at = made + text[at : at + operation["retain"]], at + operation["retain"]
        else:
            at += operation["delete"]
    return made + text[at:]


def test_the_head_of_a_million_events_is_folded_in_pages(writers: Session, repository: Path) -> None:
    """As of the last instant nothing changes, though the events are then fetched by other pages."""
    projection = load_projection(repository / "datasets" / "projections" / "document-text.toml")
    last = writers.sql("select max(occurred_at) as t from events").item()
    some = writers.sql("select distinct stream_id as s from events order by 1 limit 3")["s"].to_list()
    states = writers.state(projection, as_of=last + timedelta(days=1))
    for name in some:
        assert states.filter(pl.col("entity_id") == name).equals(writers.state(projection, stream_id=name))
