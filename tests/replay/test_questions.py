"""The questions of replay, asked of a real log."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.builders import START, build_event, declare_type
from workbench.config import load_settings
from workbench.decode.registry import load_registry
from workbench.errors import ArgumentError, UnknownEntityError, UnknownEventError, UnknownProjectionError
from workbench.event import Actor
from workbench.replay.declaration import make_projection
from workbench.replay.projection import Projection
from workbench.session import Session, open_session


def declare(**changes: Any) -> Projection:
    fields = {
        "balance": {"rule": "sum", "kind": "integer", "event_types": ["MoneyDeposited"], "value": "data.amount"},
        "newest": {"rule": "last", "kind": "integer", "event_types": ["MoneyDeposited"], "value": "data.amount"},
    }
    cancels = {"event_types": ["DepositCancelled"], "target": "data.cancels"}
    return make_projection({"name": "account", "cancels": cancels, "fields": fields} | changes)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A log whose requests are lifted from their first version to their third."""
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    (schemas / "MoneyRequested.toml").write_text(declare_type("MoneyRequested"))
    settings = msgspec.structs.replace(load_settings(tmp_path / "log"), schemas=schemas)
    with open_session(settings) as opened:
        yield opened


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def deposit(event_id: str, hours: float, amount: Any, **fields: Any) -> Any:
    return build_event(event_id=event_id, occurred_at=at(hours), data={"amount": amount}, **fields)


def balance(session: Session, projection: Projection, **cut: Any) -> Any:
    return session.state(projection, **cut).item(0, "balance")


def test_what_was_true_then_as_we_knew_it_then_and_as_we_know_it_now(session: Session) -> None:
    """A deposit of the second hour is recorded on the third day."""
    for hours, events in ((1, [deposit("a", 1, 1)]), (49, [deposit("b", 49, 10)]), (72, [deposit("late", 2, 100)])):
        session.append([msgspec.structs.replace(event, recorded_at=at(hours)) for event in events])
    projection = declare()
    assert balance(session, projection) == 111
    assert balance(session, projection, as_of=at(3)) == 101
    assert balance(session, projection, as_of=at(3), known_at=at(50)) == 1
    assert balance(session, projection, known_at=at(50)) == 11
    assert balance(session, projection, position=1) == 11
    assert session.state(projection).item(0, "newest") == 100
    in_time = declare(order="occurred")
    assert session.state(in_time).item(0, "newest") == 10
    late = session.late(projection, as_of=at(3), known_at=at(50))
    assert late.select("event_id", "late_by").rows() == [("late", timedelta(hours=70))]
    assert session.late(projection, as_of=at(3), known_at=at(50), stream_id="account-1").equals(late)
    assert session.late(projection, as_of=at(3), known_at=at(72)).is_empty()
    then, now = (session.diff(projection, before=0, after=at(3), known_at=known) for known in (at(50), None))
    assert (then.height, now["after"].to_list()) == (0, ['"101"', "100"])


def test_entities_may_be_named_by_the_payload_and_one_event_touch_several(session: Session) -> None:
    payload = {"from": "x", "to": "y", "amount": 5}
    session.append([build_event(event_id="t", stream_id="transfer-1", event_type="Moved", data=payload)])
    moved = make_projection(
        {
            "name": "account",
            "entity": ["data.from", "data.to"],
            "fields": {
                "out": {
                    "rule": "sum",
                    "kind": "integer",
                    "event_types": ["Moved"],
                    "value": "data.amount",
                }
            },
        }
    )
    assert session.state(moved)["entity_id"].to_list() == ["x", "y"]
    assert session.history(moved, "y").item(0, "event_id") == "t"
    assert session.blame(moved, "x").item(0, "value") == '"5"'
    with pytest.raises(UnknownEntityError, match="No event touches 'z'"):
        session.history(moved, "z")


def test_a_cancel_may_stand_in_another_stream_where_the_projection_says_so(session: Session) -> None:
    session.append(
        [
            deposit("a", 1, 5),
            build_event(event_id="c", stream_id="office", event_type="DepositCancelled", data={"cancels": "a"}),
        ]
    )
    cancels = {"event_types": ["DepositCancelled"], "target": "data.cancels", "in_stream": False}
    assert balance(session, declare()) == 5
    assert session.state(declare(cancels=cancels)).height == 0
    rows = session.history(declare(cancels=cancels), "account-1")
    assert rows["effect"].to_list() == [None, "cancels position 0"]


def test_blame_names_proposal_and_upcast(session: Session) -> None:
    requested = build_event(event_id="r", event_type="MoneyRequested", data={"sum": 7}, actor=Actor("p", "human"))
    proposed = build_event(event_id="p", stream_id="desk", event_type="Proposed", actor=Actor("m", "ai"), data={})
    edited = build_event(event_id="x", event_type="Edited", causation_id="p", data={"rate": "4.8"})
    session.append([requested, proposed, edited])
    rows = {row["field"]: row for row in session.blame("document", "account-1").to_dicts()}
    assert (rows["amount"]["value"], rows["amount"]["upcast"], rows["amount"]["proposal_event_id"]) == (
        "7",
        "1 → 3",
        None,
    )
    assert (rows["currency"]["value"], rows["currency"]["event_id"]) == ('"EUR"', "r")
    assert (rows["rate"]["upcast"], rows["rate"]["proposal_event_id"], rows["rate"]["proposal_actor_id"]) == (
        None,
        "p",
        "m",
    )


def test_causes_that_are_not_in_the_log_or_run_in_a_circle_end_the_search(session: Session) -> None:
    session.append(
        [
            build_event(event_id="a", causation_id="b", data={"x": 1}),
            build_event(event_id="b", causation_id="a", data={"y": 1}),
            build_event(event_id="c", causation_id="gone", data={"z": 1}),
        ]
    )
    assert session.blame("document", "account-1")["proposal_event_id"].null_count() == 3
    assert session.affected(["a"])["event_id"].to_list() == ["a", "b"]


def test_blame_after_history_reads_the_entity_once_and_again_once_the_log_has_grown(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.append([deposit("a", 1, 1), deposit("b", 2, 2)])
    asked: list[Any] = []
    query = session.engine.query

    def count(*given: Any, **how: Any) -> Any:
        asked.append(given)
        return query(*given, **how)

    monkeypatch.setattr(session.engine, "query", count)
    assert session.history(declare(), "account-1").height == 2
    assert session.blame(declare(), "account-1")["position"].to_list() == [1, 1]
    assert len(asked) == 1
    assert session.blame(declare(), "account-1", position=0)["position"].to_list() == [0, 0]
    session.append([deposit("c", 3, 3)])
    assert session.blame(declare(), "account-1")["position"].to_list() == [2, 2]
    assert session.history(declare(), "account-1")["position"].to_list() == [0, 1, 2]
    assert len(asked) == 3


def test_blame_of_a_stream_with_cancels_tells_of_what_still_counts(session: Session) -> None:
    cancel = build_event(event_id="x", occurred_at=at(3), event_type="DepositCancelled", data={"cancels": "b"})
    session.append([deposit("a", 1, 1), deposit("b", 2, 2), cancel])
    told = session.blame(declare(), "account-1").rows_by_key("field", named=True, unique=True)
    assert (told["newest"]["value"], told["newest"]["event_id"], told["newest"]["earlier"]) == ("1", "a", "[]")
    history = session.history(declare(), "account-1")
    assert history["effect"].to_list() == [None, None, "cancels position 1"]
    assert [json.loads(text) for text in history["changed"]][2] == {"balance": ["3", "1"], "newest": [2, 1]}


def test_other_decoders_show_what_was_believed(session: Session, tmp_path: Path) -> None:
    session.append([build_event(event_id="r", event_type="MoneyRequested", data={"sum": 7})])
    rows = {
        row["field"]: row for row in session.what_if("document", stream_id="account-1", decoders="stored").to_dicts()
    }
    assert (rows["amount"]["true_value"], rows["amount"]["what_if_value"]) == ("7", None)
    assert (rows["sum"]["true_value"], rows["sum"]["what_if_value"]) == (None, "7")
    other = tmp_path / "other"
    other.mkdir()
    (other / "MoneyRequested.toml").write_text(declare_type("MoneyRequested").replace('"EUR"', '"GBP"'))
    changed = session.what_if("document", stream_id="account-1", decoders=load_registry(other)).filter(differs=True)
    assert changed.rows() == [("account-1", "currency", '"EUR"', '"GBP"', True)]
    with pytest.raises(ArgumentError, match="decoders='then'"):
        session.what_if("document", stream_id="account-1", decoders="then")


def test_what_if_assumes_events_and_writes_none(session: Session) -> None:
    session.append([deposit("a", 1, 5)])
    assumed = [deposit("h", 2, 7), build_event(stream_id="account-2", data={"amount": 1})]
    rows = session.what_if(declare(), insert=assumed)
    assert rows.select("entity_id", "field", "true_value", "what_if_value").rows() == [
        ("account-1", "balance", '"5"', '"12"'),
        ("account-1", "newest", "5", "7"),
        ("account-2", "balance", None, '"1"'),
        ("account-2", "newest", None, "1"),
    ]
    assert session.head().position == 0
    lifted = build_event(event_type="MoneyRequested", data={"sum": 7})
    assert "amount" in session.what_if("document", insert=[lifted])["field"].to_list()


def test_without_an_event_its_effects_are_listed_wherever_they_are(session: Session) -> None:
    session.append(
        [
            deposit("a", 1, 5),
            build_event(event_id="b", stream_id="other", causation_id="a"),
            build_event(event_id="c", stream_id="third", causation_id="b"),
            build_event(event_id="d"),
        ]
    )
    rows = session.affected(["a"])
    assert rows.select("event_id", "cause", "depth").rows() == [("a", None, 0), ("b", "a", 1), ("c", "b", 2)]
    with pytest.raises(UnknownEventError, match="'zz'"):
        session.affected(["a", "zz"])


def test_what_a_rollback_proposes_brings_the_state_back(session: Session) -> None:
    session.append([deposit("a", 1, 5), deposit("b", 2, 7), deposit("c", 3, 9)])
    projection = declare()
    proposals = session.rollback(projection, "account-1", to=0)
    assert proposals["event_id"].to_list() == ["c", "b"]
    assert proposals["expected_version"].to_list() == [2, 2]
    compensating = [
        build_event(event_type=row["compensation"], data=json.loads(row["data"])) for row in proposals.to_dicts()
    ]
    rows = session.what_if(projection, stream_id="account-1", insert=compensating)
    assert rows["what_if_value"].to_list() == ['"5"', "5"]


def test_a_type_may_have_a_compensation_of_its_own_or_none(session: Session) -> None:
    session.append([deposit("a", 1, 5)])
    own = {"MoneyDeposited": {"event_type": "DepositReversed", "target": "data.reverses.id"}}
    (row,) = session.rollback(declare(compensations=own), "account-1", to=datetime(2020, 1, 1, tzinfo=UTC)).to_dicts()
    assert (row["compensation"], row["data"]) == ("DepositReversed", '{"reverses":{"id":"a"}}')
    fields = {"n": {"rule": "count", "from": [{}]}}
    none = make_projection({"name": "count", "fields": fields})
    (row,) = session.rollback(none, "account-1", to=datetime(2020, 1, 1, tzinfo=UTC)).to_dicts()
    assert (row["compensation"], row["data"]) == (None, None)


def test_two_versions_part_at_the_first_event_they_read_otherwise(session: Session) -> None:
    session.append([deposit("a", 1, 5), deposit("b", 2, 7), deposit("x", 1, 1, stream_id="account-2")])
    one = declare()
    fields = {"newest": {"rule": "first", "kind": "integer", "event_types": ["MoneyDeposited"], "value": "data.amount"}}
    rows = session.compare(one, declare(version=2, fields=fields))
    assert rows.rows() == [("account-1", "newest", "7", "5", 1, "b", "MoneyDeposited")]
    assert session.compare(one, one).height == 0


def test_errors_say_what_is_possible(session: Session) -> None:
    with pytest.raises(ArgumentError, match="position=0 is not in the log"):
        session.state("document", position=0)
    with pytest.raises(UnknownEntityError, match="the log is empty"):
        session.history("document", "account-1")
    session.append([deposit("a", 1, 5), deposit("b", 2, 5, stream_id="b")])
    with pytest.raises(UnknownProjectionError, match="there are document"):
        session.state("account")
    with pytest.raises(UnknownEntityError, match="nearest names are account-1, b"):
        session.state("document", stream_id="account-9")
    with pytest.raises(UnknownEntityError, match=r"b has no events that count before position 1"):
        session.history("document", "b", position=0)
    with pytest.raises(UnknownEntityError, match=r"before 2026-01-01T01"):
        session.diff("document", before=at(0), after=at(0.5), stream_id="account-1")
    with pytest.raises(UnknownEventError, match="'zz'"):
        session.what_if("document", without=["zz"])
    with pytest.raises(ArgumentError, match="Name what the question is about"):
        session.what_if("document", until=0)


def test_a_session_gives_its_projections_by_name(session: Session) -> None:
    assert list(session.projections()) == ["document"]
    assert session.projection("document").is_open
