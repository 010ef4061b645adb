"""What As of shows as rows to take along, and as the question and the SQL that ask for them again."""

from typing import Any

import msgspec
import polars as pl

from workbench.replay.folding.fact import FACT_COLUMNS
from workbench.replay.projection import Projection
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.compare import compare_moments
from workbench.views.as_of.log import choose_projection, find_cut, write_path
from workbench.views.as_of.what_if import preview_change


def export_moment(session: Session, choices: AsOfChoices) -> pl.DataFrame:
    """Return the rows of what is shown: a history, what differs, the state of all entities, or what would differ."""
    projection = choose_projection(session, choices.projection)
    entity = choices.entity or ""
    if choices.mode == "compare":
        names = ("field", "before", "then", "now")
        return _frame([{name: getattr(each, name) for name in names} for each in _compared(session, choices)], names)
    if choices.mode == "what_if":
        names = ("field", "true", "imagined", "compensated")
        contrasts = preview_change(session, choices).contrasts
        return _frame([{name: getattr(each, name) for name in names} for each in contrasts], names)
    cut = find_cut(session, choices)
    if choices.mode == "population":
        return session.state(projection, as_of=choices.as_of, position=cut.up_to)
    return session.history(projection, entity, position=cut.up_to)


def _compared(session: Session, choices: AsOfChoices) -> Any:
    return compare_moments(session, choices).differences


def _frame(rows: list[dict[str, Any]], names: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask again: the call on a session, and the statement whose rows it folds with its parameters."""

    call: str
    sql: str
    parameters: dict[str, str]


def write_question(session: Session, choices: AsOfChoices) -> Question:
    """Return what would answer the same in a notebook."""
    projection = choose_projection(session, choices.projection)
    cut = find_cut(session, choices)
    title = f"{projection.name}@{projection.version}" if not projection.is_open else projection.name
    as_of = None if choices.as_of is None else choices.as_of.isoformat()
    conditions, parameters = cut.conditions()
    if choices.mode == "population":
        call = f"session.state({title!r}, position={cut.up_to}, as_of={as_of!r})"
    else:
        call = f"session.history({title!r}, {choices.entity!r}, position={cut.up_to})"
        conditions.append(f"{write_path(projection.entity[0])} = :entity")
        parameters["entity"] = choices.entity or ""
    sql = "\n".join(
        [
            f"select {', '.join(FACT_COLUMNS)}",
            "from events",
            f"where {' and '.join(conditions)}",
            f"order by {_order(projection)}",
        ]
    )
    return Question(call=call, sql=sql, parameters={name: str(value) for name, value in parameters.items()})


def _order(projection: Projection) -> str:
    return "position" if projection.order == "position" else "occurred_at, position"
