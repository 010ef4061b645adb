"""The questions of replay, for every log: one projection of envelope and payload, and the document."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from workbench.replay.declaration import make_projection
from workbench.replay.projection import Projection
from workbench.session import Session

if TYPE_CHECKING:
    from tests.contracts.questions import Facts

Ask = Callable[[Session, "Facts"], pl.DataFrame]


def describe_entity(order: str, version: int = 1) -> Projection:
    """Return a projection with something to say of any log; `amount` is the loan desk's, `AMOUNT_REQ` the bank's."""
    return make_projection(
        {
            "name": "anything",
            "version": version,
            "order": order,
            "cancels": {"event_types": ["WithdrawalCancelled"], "target": "data.cancels"},
            "fields": {
                "events": {"rule": "count", "from": [{}]},
                "latest": {"rule": "last", "value": "event_type"},
                "earliest": {"rule": "first", "value": "occurred_at"},
                "newest": {"rule": "max", "value": "recorded_at"},
                "actor": {
                    "rule": "last" if version == 1 else "first",
                    "value": "actor_id",
                    "takes_absent": version == 1,
                },
                "actors": {"rule": "set", "value": "actor_id"},
                "types": {"rule": "list", "value": "event_type"},
                "stage": {"rule": "machine", "value": "event_type", "moves": {"AccountOpened": ["MoneyDeposited"]}},
                "paid": {
                    "rule": "sum",
                    "kind": "decimal",
                    "scale": 2,
                    "event_types": ["MoneyDeposited", "MoneyWithdrawn"],
                    "value": "data.amount",
                },
                "least": {"rule": "min", "kind": "text", "value": "data.text"},
                "payload": {"rule": "last", "value": "data.amount"},
                "asked": {"rule": "first", "kind": "text", "value": ["data", "AMOUNT_REQ"]},
            },
        }
    )


def ask_states(session: Session, _facts: "Facts") -> pl.DataFrame:
    return session.state(describe_entity("position"))


def ask_states_in_time(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.state(describe_entity("occurred"), as_of=facts.middle)


def ask_states_known(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.state(describe_entity("position"), as_of=facts.middle, known_at=facts.middle)


def ask_states_at_position(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.state(describe_entity("position"), position=facts.position // 3)


def ask_one_state(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.state(describe_entity("occurred"), stream_id=facts.streams[0])


def ask_document(session: Session, facts: "Facts") -> pl.DataFrame:
    return pl.concat([session.state("document", stream_id=stream) for stream in facts.streams])


def ask_history(session: Session, facts: "Facts") -> pl.DataFrame:
    # A document of the writers' log changes in megabytes; the newest events say enough.
    return session.history("document", facts.streams[1]).tail(50)


def ask_history_of_fields(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.history(describe_entity("occurred"), facts.streams[0]).drop("state").tail(200)


def ask_blame(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.blame(describe_entity("position"), facts.streams[0], as_of=facts.last)


def ask_differences(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.diff(describe_entity("position"), before=facts.middle, after=facts.position // 2)


def ask_late(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.late("document", as_of=facts.middle, known_at=facts.first)


def ask_what_if(session: Session, facts: "Facts") -> pl.DataFrame:
    events = session.sql(
        "select event_id from events where stream_id = :s order by position limit 2", {"s": facts.streams[0]}
    )
    return session.what_if(describe_entity("position"), without=events["event_id"].to_list())


def ask_what_if_ended(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.what_if("document", stream_id=facts.streams[1], until=facts.position - 1, decoders="stored")


def ask_affected(session: Session, _facts: "Facts") -> pl.DataFrame:
    first = session.sql("select min_by(event_id, position) as event_id from events where causation_id is null")
    return session.affected(first["event_id"].to_list())


def ask_rollback(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.rollback(describe_entity("position"), facts.streams[0], to=facts.middle)


def ask_partings(session: Session, _facts: "Facts") -> pl.DataFrame:
    return session.compare(describe_entity("position"), describe_entity("position", version=2), limit=3)


REPLAY: dict[str, Ask] = {
    "replay: states": ask_states,
    "replay: states in the order of time": ask_states_in_time,
    "replay: states as known then": ask_states_known,
    "replay: states at a position": ask_states_at_position,
    "replay: one state": ask_one_state,
    "replay: documents": ask_document,
    "replay: history of a document": ask_history,
    "replay: history of fields": ask_history_of_fields,
    "replay: blame": ask_blame,
    "replay: differences": ask_differences,
    "replay: late events": ask_late,
    "replay: what if events were not": ask_what_if,
    "replay: what if the log had ended": ask_what_if_ended,
    "replay: affected events": ask_affected,
    "replay: rollback": ask_rollback,
    "replay: partings": ask_partings,
}
