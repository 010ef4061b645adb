"""`measures`, `deltas` and `takings` in SQL: the lifecycle of proposals beside what was measured of them."""

from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa

from workbench.deltas.columns import DELTA_COLUMNS, MEASURES, PROPOSAL_COLUMNS
from workbench.deltas.reasons import select_last_reasons
from workbench.query.base import Relation, Table
from workbench.replay.sql.expressions import quote_texts

KEYS: Final = {"kind": "varchar", "proposal_position": "bigint", "decision_position": "bigint"}
MEASURE_COLUMNS: Final = {**KEYS, **MEASURES}
# Of a taking these come of its own decision event, not of the one that counts for its proposal.
_OF_DECISION: Final = {
    "decision": "d.decision",
    "decided": "d.decision",
    "decision_position": "d.position",
    "decision_event_id": "d.event_id",
    "decided_at": "d.decided_at",
    "person": "d.person",
    "reason": "case when d.ordinal = 1 then coalesce(d.reason, r.reason) else d.reason end",
    "value": "d.value",
    "latency": "case when d.ordinal = 1 then p.latency end",
}
_ROWS: Final = "kept_rows"
RELATIONS: Final = ("measures", "deltas", "takings")


def relate_deltas(
    edited_within: Mapping[str, float],
    *,
    model: str,
    read: Callable[[], pa.Table],
    find: Callable[[], Table] | None,
) -> dict[str, Relation]:
    """Return the relations; ``edited_within`` is each kind's time in seconds after which a change is another matter.

    ``read`` gives the rows of `measures` in process; for an engine that reads tables ``find`` says where they are kept.
    """
    if find is None:
        measures = Relation(name="measures", columns=MEASURE_COLUMNS, version="now", arrow=read)
    else:
        select = select_measures(model)
        measures = Relation(
            name="measures", columns=MEASURE_COLUMNS, version="now", select=select, tables={_ROWS: find}
        )
    selects = {"deltas": select_deltas(edited_within), "takings": select_takings(edited_within)}
    return {
        "measures": measures,
        **{
            name: Relation(name=name, columns=DELTA_COLUMNS, version=f"{model}-{name}", select=select)
            for name, select in selects.items()
        },
    }


def select_measures(model: str) -> str:
    """Return the SELECT of the latest measures of each decision, of one model."""
    columns = ", ".join(MEASURE_COLUMNS)
    latest = "partition by kind, proposal_position, decision_position order by measured_position desc"
    newest = f"row_number() over ({latest}) as newest"
    return (
        f"select {columns} from (select {columns}, {newest} from {_ROWS} "  # noqa: S608 - our own words; the model is hexadecimal
        f"where model = {quote_texts([model])}) as each where newest = 1"
    )


def select_deltas(edited_within: Mapping[str, float]) -> str:
    """Return the SELECT of one row a proposal."""
    shown = {name: f"p.{name}" for name in PROPOSAL_COLUMNS} | {"decided": "p.decision"}
    # What was said when it was decided; else what was added last.
    shown["reason"] = "coalesce(p.reason, r.reason)"
    shown["decision"] = _judge("p.decision", edited_within)
    return _select(shown, "proposals p left join measures m", "p.decision_position")


def select_takings(edited_within: Mapping[str, float]) -> str:
    """Return the SELECT of one row a decision that took a proposal, as it was or edited."""
    shown = {name: f"p.{name}" for name in PROPOSAL_COLUMNS} | _OF_DECISION
    shown["decision"] = _judge("d.decision", edited_within)
    sources = "decisions d join proposals p on p.position = d.proposal_position left join measures m"
    return f"{_select(shown, sources, 'd.position')} where d.decision in ('accepted', 'edited')"


def _select(shown: Mapping[str, str], sources: str, decision: str) -> str:
    columns = [f"{shown.get(name, f'm.{name}')} as {name}" for name in DELTA_COLUMNS]
    joined = f"m.kind = p.kind and m.proposal_position = p.position and m.decision_position = {decision}"
    added = "r.kind = p.kind and r.document = p.stream_id and r.proposal = p.event_id"
    return (
        f"select {', '.join(columns)} from {sources} on {joined} "  # noqa: S608 - our own words
        f"left join ({select_last_reasons()}) r on {added}"
    )


def _judge(decision: str, edited_within: Mapping[str, float]) -> str:
    """Return the decision, where what was accepted is edited when it was changed within its kind's time."""
    branches = [
        f"when {decision} = 'accepted' and p.kind = {quote_texts([kind])} and m.first_change <= {float(seconds)!r}e0 "
        "then 'edited'"
        for kind, seconds in edited_within.items()
    ]
    return f"case {' '.join(branches)} else {decision} end" if branches else decision
