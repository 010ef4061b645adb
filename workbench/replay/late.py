"""Facts that came late: those that had happened by a moment, and that the log took only afterwards."""

from workbench.replay.facts import Ask, fetch_facts, load_facts
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import name_entities
from workbench.replay.projection import Projection


def load_late(ask: Ask, projection: Projection, then: Cut, *, entity: str | None) -> list[Fact]:
    """Return the events with occurred_at ≤ ``then.as_of`` behind position ``then.up_to`` that may change a state.

    They are of the types that the projection reads, cancels among them, and of one entity where it is given.
    """
    behind = -1 if then.up_to is None else then.up_to
    if entity is not None:
        known_now = load_facts(ask, projection, [entity], Cut(as_of=then.as_of))
        facts = [fact for fact in known_now if fact.position > behind and entity in name_entities(projection, fact)]
    else:
        facts = fetch_facts(
            ask, ["occurred_at <= :as_of", "position > :behind"], {"as_of": then.as_of, "behind": behind}, None
        )
    types = projection.event_types
    cancels = () if projection.cancels is None else projection.cancels.event_types
    return [fact for fact in facts if types is None or fact.event_type in types or fact.event_type in cancels]
