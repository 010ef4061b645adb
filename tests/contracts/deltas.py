"""The lifecycle of proposals, for every log: of what it declares, and of one kind that any log has something of."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from workbench.deltas.mapping import DeltaMapping, make_mapping
from workbench.deltas.pairing.relations import RELATIONS, relate_lifecycle
from workbench.session import Session

if TYPE_CHECKING:
    from tests.contracts.questions import Facts

Ask = Callable[[Session, "Facts"], pl.DataFrame]
PAIRS = ("names", "next")


def describe_any(facts: "Facts", pair: str) -> DeltaMapping:
    """Return a mapping of two types that every log has, whatever they mean there."""
    shown, decided = facts.types[:2]
    named = {"names": "correlation_id", "id": "stream_id"} if pair == "names" else {}
    return make_mapping(
        "anything",
        {
            "proposed": [shown],
            "accepted": [decided],
            "pair": pair,
            **named,
            "content": {"amount": "data.amount", "text": "data.text_delta"},
            "confidence": "data.amount",
            "model": "data.currency",
            "reason": ["data.remark", "actor_kind"],
            "expires_after": 86400,
            "fields": {"first": "first.event_type", "purpose": "first.data.purpose", "actor": "actor_id"},
        },
    )


def ask_declared(name: str) -> Ask:
    """Return the question of one relation of the log's own mappings; without one there is nothing to ask."""

    def ask(session: Session, _facts: "Facts") -> pl.DataFrame:
        if not session.delta_mappings:
            return pl.DataFrame()
        order = "kind, position"
        return session.sql(f"select * from {name} order by {order}", row_limit=0)  # noqa: S608 - our own words

    return ask


def ask_any(pair: str, name: str) -> Ask:
    """Return the question of one relation of a mapping of any log's types, up to the middle of the log."""

    def ask(session: Session, facts: "Facts") -> pl.DataFrame:
        mapping = describe_any(facts, pair)
        relations = session.relations()
        paired = relate_lifecycle({"anything": mapping}, session.registry, up_to=facts.position // 2)
        statement = f"select * from {name} order by position limit 2000"  # noqa: S608 - our own words
        return session.engine.query(statement, {}, relations | paired)

    return ask


DELTAS: dict[str, Ask] = {
    **{f"deltas: {name}": ask_declared(name) for name in RELATIONS},
    **{
        f"deltas: {name} by {pair}": ask_any(pair, name)
        for name in ("proposals", "decisions")
        for pair in ("names", "next")
    },
}
