"""`proposals`, `decisions`, `requests` and `reasons` in SQL: what the mappings of a log make of its events."""

from collections.abc import Mapping
from typing import Final

from workbench.decode.registry import EMPTY, Registry
from workbench.deltas.columns import PROPOSAL_COLUMNS
from workbench.deltas.mapping import DeltaMapping
from workbench.deltas.pairing.decisions import DECISION_COLUMNS, REQUEST_COLUMNS, select_decisions, select_requests
from workbench.deltas.pairing.proposals import select_proposals
from workbench.deltas.reasons import REASON_COLUMNS, select_reasons
from workbench.query.base import Relation

RELATIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "proposals": PROPOSAL_COLUMNS,
    "decisions": DECISION_COLUMNS,
    "requests": REQUEST_COLUMNS,
    "reasons": REASON_COLUMNS,
}


def relate_lifecycle(
    mappings: Mapping[str, DeltaMapping], registry: Registry = EMPTY, *, up_to: int | None = None
) -> dict[str, Relation]:
    """Return the four relations of mappings by name; ``up_to`` is the last position that counts."""
    kinds = list(mappings.values())
    asked = [mapping for mapping in kinds if mapping.requested]
    selects = {
        "proposals": select_proposals(kinds, registry, up_to=up_to) if kinds else None,
        "decisions": select_decisions(kinds, registry, up_to=up_to) if kinds else None,
        "requests": select_requests(asked, registry, up_to=up_to) if asked else None,
        "reasons": select_reasons(up_to=up_to) if kinds else None,
    }
    return {
        name: Relation(name=name, columns=columns, version="now", select=selects[name])
        for name, columns in RELATIONS.items()
    }
