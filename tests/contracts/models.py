"""The questions of kept states, for every log: the first engine that is asked keeps them, the other finds them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from tests.contracts.replay import describe_entity
from workbench.session import Session

if TYPE_CHECKING:
    from tests.contracts.questions import Facts

Ask = Callable[[Session, "Facts"], pl.DataFrame]


def ask_population(session: Session, facts: "Facts") -> pl.DataFrame:
    return session.population(describe_entity("position"), "latest", as_of=facts.middle, known_at=facts.middle)


def ask_kept_population(session: Session, facts: "Facts") -> pl.DataFrame:
    session.materialise(describe_entity("occurred"), fields=["latest", "stage"])
    return session.population_over_time(describe_entity("occurred"), "latest", at=[facts.middle, facts.last])


def ask_kept_state(session: Session, facts: "Facts") -> pl.DataFrame:
    session.materialise(describe_entity("position"), as_of=facts.middle)
    return session.state(describe_entity("position"), as_of=facts.last, stream_id=facts.streams[0])


def ask_kept_states(session: Session, facts: "Facts") -> pl.DataFrame:
    session.materialise("document")
    text = (
        "select entity_id, state as document, event_count, position, occurred_at, notes from states "
        "where projection = 'document@1' order by entity_id"
    )
    kept, folded = session.sql(text), session.state("document")
    assert kept.equals(folded)
    return kept.filter(pl.col("entity_id").is_in(facts.streams))


MODELS: dict[str, Ask] = {
    "kept: population": ask_population,
    "kept: population over time": ask_kept_population,
    "kept: state from a checkpoint": ask_kept_state,
    "kept: states in SQL": ask_kept_states,
}
