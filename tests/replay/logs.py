"""Generated logs: late and back-dated events, 1970 and the far future, cancels of anything, among them of cancels."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.builders import START
from tests.replay.facts import build_fact
from workbench.replay.declaration import make_projection
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import Entity, Folder, fold_facts
from workbench.replay.projection import Projection

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2099, 12, 31, tzinfo=UTC)
HOURS = st.integers(0, 6)
TIMES = st.one_of(st.sampled_from([LONG_AGO, FAR_AHEAD]), *[HOURS.map(lambda hour: START + timedelta(hours=hour))] * 4)
VALUES = st.sampled_from([None, 0, 1, -2, 2.50, "x", "y", "x😀", True, [1], {"b": {"c": None, "d": -0.0}}, "-1.5"])
STAGES = st.sampled_from(["open", "closed", "paid"])
DELTAS = st.sampled_from(["Hallo", "😀", [{"insert": "a😀"}], {"ops": [{"retain": 1}, {"delete": 1}]}, [{"retain": 1}]])


def declare(order: str = "position", **changes: Any) -> Projection:
    """Return a projection that has a field of every rule."""
    fields = {
        "last": {"rule": "last", "kind": "json", "event_types": ["A", "B"], "value": "data.v"},
        "first": {"rule": "first", "kind": "json", "event_types": ["A"], "value": "data.v"},
        "total": {"rule": "sum", "kind": "decimal", "scale": 1, "event_types": ["A"], "value": "data.v"},
        "events": {"rule": "count", "event_types": ["A", "B"]},
        "least": {"rule": "min", "kind": "integer", "event_types": ["A"], "value": "data.v"},
        "newest": {"rule": "max", "kind": "time", "event_types": ["B"], "value": "occurred_at"},
        "words": {"rule": "set", "kind": "text", "event_types": ["A"], "value": "data.v"},
        "items": {"rule": "list", "kind": "json", "event_types": ["A"], "value": "data.v"},
        "stage": {
            "rule": "machine",
            "event_types": ["B"],
            "value": "data.stage",
            "moves": {"open": ["closed"], "closed": ["paid"]},
        },
        "text": {"rule": "text", "event_types": ["B"], "value": "data.delta", "by": "actor_id"},
        "whole": {"rule": "merge", "event_types": ["A"], "value": "data"},
    }
    cancels = {"event_types": ["C"], "target": "data.cancels"}
    return make_projection({"name": "all", "order": order, "cancels": cancels, "fields": fields, **changes})


@st.composite
def logs(draw: st.DrawFn, *, most: int = 16, streams: str = "ab") -> list[Fact]:
    """Draw the events of a log, by position."""
    facts = []
    for position in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from("AABBCZ"))
        data: dict[str, Any] = {"who": draw(st.lists(st.sampled_from("pq"), max_size=2))}
        if kind == "C":
            data["cancels"] = f"e{draw(st.integers(0, most))}"
        else:
            data |= {"v": draw(VALUES), "stage": draw(STAGES), "delta": draw(DELTAS)}
        facts.append(
            build_fact(
                position,
                event_type=kind,
                stream_id=draw(st.sampled_from(streams)),
                occurred_at=draw(TIMES),
                actor_id=draw(st.sampled_from(["me", None])),
                data=data,
            )
        )
    return facts


@st.composite
def cuts(draw: st.DrawFn, *, most: int = 16) -> Cut:
    """Draw a cut in position, in time, in both or in neither."""
    return Cut(as_of=draw(st.none() | TIMES), up_to=draw(st.none() | st.integers(0, most)))


def within(facts: Sequence[Fact], cut: Cut) -> list[Fact]:
    """Return the events of a cut."""
    return [fact for fact in facts if cut.holds(fact.position, fact.occurred_at)]


def show(projection: Projection, entities: dict[str, Entity]) -> dict[str, Any]:
    """Return everything that can be seen of states."""
    folder = Folder(projection)
    return {
        name: (folder.write(one), folder.note(one), one.event_count, one.position, one.occurred_at)
        for name, one in entities.items()
    }


def fold_cut(projection: Projection, facts: Sequence[Fact], cut: Cut) -> dict[str, Any]:
    """Return what folding all events of a cut shows."""
    return show(projection, fold_facts(projection, within(facts, cut)))
