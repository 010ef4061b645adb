"""The order of the log in a statement: by position, or, in a log without positions, by time, source and id."""

from workbench.errors import ArgumentError
from workbench.session import Session
from workbench.views.place import Place, write_place
from workbench.views.timeline.where import Where


def has_positions(session: Session) -> bool:
    """Return whether the events of the log have positions; a mapped one may have none."""
    return session.order == ("position",)


def order_by(session: Session, *, backwards: bool = False) -> str:
    """Return the ORDER BY of the log's own order."""
    return f"order by {', '.join(f'{name} desc' if backwards else name for name in session.order)}"


def narrow(session: Session, where: Where, comparison: str, place: Place) -> Where:
    """Return a clause narrowed to the events that stand ``>=``, ``>``, ``<``, ``<=`` or ``=`` a place.

    Raises ArgumentError where the log has no such places.
    """
    if isinstance(place, int) != has_positions(session):
        raise ArgumentError(_mismatch(session, place))
    if isinstance(place, int):
        return where.also(f"position {comparison} :place", place=place)
    names = {"place_at": place.occurred_at, "place_source": place.source, "place_id": place.event_id}
    if comparison == "=":
        return where.also("occurred_at = :place_at and source = :place_source and event_id = :place_id", **names)
    strict = comparison[0]
    # The first condition says nothing new: it is the one by which files are left out.
    return where.also(
        f"occurred_at {strict}= :place_at and (occurred_at {strict} :place_at or source {strict} :place_source or "
        f"(source = :place_source and event_id {comparison} :place_id))",
        **names,
    )


def check_position(session: Session, position: int | None) -> None:
    """Refuse a position where the log has none. Raises ArgumentError."""
    if position is not None and not has_positions(session):
        raise ArgumentError(_mismatch(session, position))


def _mismatch(session: Session, place: Place) -> str:
    if has_positions(session):
        return f"The link names the event {write_place(place)}, and the events of this log are named by position."
    return (
        f"The link names position {place}, and this mapped log has none. Its events are named by time, source and id, "
        "such as 2026-01-31T08:00:00Z/crm.audit/a1."
    )
