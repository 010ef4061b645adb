"""The events that a mapping names, each with the proposal it belongs to."""

from collections.abc import Mapping, Sequence
from typing import Final

from workbench.deltas.mapping import DECIDED, DeltaMapping
from workbench.deltas.pairing.reading import DECISIONS, Reader
from workbench.query.upcast.text import quote_text
from workbench.replay.sql.expressions import quote_texts

TAKEN: Final = "('accepted', 'edited')"
_DECIDED: Final = "('accepted', 'edited', 'rejected')"
# What a rejection's rank is moved back by, so that whatever else was decided of a proposal comes first: 2^62.
BEHIND: Final = 4611686018427387904
_ENVELOPE: Final = ("position", "stream_id", "event_id", "occurred_at", "recorded_at", "actor_id")
_BY_STREAM: Final = "partition by stream_id order by position"
_SO_FAR: Final = "rows between unbounded preceding and current row"
_SHOWN: Final = "case when role = 'proposed' then position end"
_TAKING: Final = f"case when role in {TAKEN} then position end"
# Several requests may be on their way at once. A proposal answers the nearest request before it that no other has
# answered, as a closing bracket belongs to the nearest open one: at one depth of a stream the two take turns.
_ON_THEIR_WAY: Final = (
    f"count(case when role = 'requested' then 1 end) over ({_BY_STREAM} {_SO_FAR}) "
    f"- count(case when role = 'proposed' then 1 end) over ({_BY_STREAM} {_SO_FAR})"
)
DEPTH: Final = (
    f"case when role = 'requested' then {_ON_THEIR_WAY} when role = 'proposed' then {_ON_THEIR_WAY} + 1 end as depth"
)
ROLES: Final = ("proposed", *DECIDED, "requested", "applied")


def select_rows(
    reader: Reader,
    relation: str,
    columns: Mapping[str, str],
    *,
    up_to: int | None = None,
    roles: Sequence[str] = ROLES,
) -> str:
    """Return the SELECT of the events of some roles: their envelope, role, pair_key, and what is read of them."""
    mapping = reader.mapping
    known = [role for role in roles if mapping.types(role)]
    cases = " ".join(f"when e.event_type in ({quote_texts(mapping.types(role))}) then '{role}'" for role in known)
    read = [*(f"e.{name} as {name}" for name in _ENVELOPE), f"case {cases} end as role"]
    if mapping.pair == "names":
        read.append(f"{_key(reader)} as pair_key")
    read += [f"{expression} as {name}" for name, expression in columns.items()]
    return f"select {', '.join(read)} from {relation} as e where {_wanted(mapping, known, up_to)}"  # noqa: S608 - our own words, texts quoted


def is_named(mapping: DeltaMapping) -> str:
    """Return the condition that an event named e has a role in a mapping's lifecycle."""
    return _wanted(mapping, [role for role in ROLES if mapping.types(role)], None)


def _wanted(mapping: DeltaMapping, roles: Sequence[str], up_to: int | None) -> str:
    """Return the condition on the envelope that an event is one of a mapping's."""
    kinds = {"proposed": mapping.proposer, "applied": None if mapping.applied is None else mapping.applied.actor_kind}
    plain = [name for role in roles if kinds.get(role) is None for name in mapping.types(role)]
    parts = [f"e.event_type in ({quote_texts(plain)})"] if plain else []
    parts += [
        f"(e.event_type in ({quote_texts(mapping.types(role))}) and e.actor_kind = {quote_text(kind)})"
        for role, kind in kinds.items()
        if role in roles and kind is not None
    ]
    wanted = parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"
    return wanted if up_to is None else f"{wanted} and e.position <= {int(up_to)}"


def _key(reader: Reader) -> str:
    """Return what a proposal is known by and a decision names."""
    mapping = reader.mapping
    shown = reader.scalar(mapping.id, "proposed")
    named = reader.scalar(mapping.names, DECISIONS) if reader.types(DECISIONS) else "null"
    return f"coalesce({shown}, {named})"


def mark_targets(mapping: DeltaMapping, rows: str) -> str:
    """Return the rows with ``target``, the position of the proposal each belongs to, and ``decision_rank``.

    Of the decisions of one proposal that with the least rank counts: the first that is not a rejection, else the first.
    ``answers`` is the position of the request that a proposal answers.
    """
    rank = f"when role = 'rejected' then position + {BEHIND} end as decision_rank"
    marks = [f"case when role in {TAKEN} then position {rank}"]
    later = []
    if mapping.requested:
        marks.append(DEPTH)
        request = "lag(case when role = 'requested' then position end)"
        later.append(f"{request} over (partition by stream_id, depth order by position) as answers")
        later.append("lag(asker) over (partition by stream_id, depth order by position) as asked_by")
    mark = _mark_next if mapping.pair == "next" else _mark_names
    return mark(mapping, rows, marks, later)


def _mark_next(mapping: DeltaMapping, rows: str, marks: Sequence[str], later: Sequence[str]) -> str:
    """Everything belongs to the proposal before it in its stream; what is applied only where that was taken."""
    marks = [*marks, f"max({_SHOWN}) over ({_BY_STREAM} {_SO_FAR}) as last_shown"]
    free = "role = 'requested'"
    if mapping.applied is not None:
        marks.append(f"max({_TAKING}) over ({_BY_STREAM} {_SO_FAR}) as last_taken")
        free += " or (role = 'applied' and not coalesce(last_taken > last_shown, false))"
    marked = f"select chosen.*, {', '.join(marks)} from ({rows}) as chosen"  # noqa: S608 - our own words, texts quoted
    target = f"case when {free} then null else last_shown end as target"
    return f"select {', '.join(['marked.*', target, *later])} from ({marked}) as marked"  # noqa: S608 - the same


def _mark_names(mapping: DeltaMapping, rows: str, marks: Sequence[str], later: Sequence[str]) -> str:
    """A decision belongs to the last proposal before it that has the name it gives, else to the first behind it."""
    # An event without a key is alone: it must not meet all others that have none.
    by_key = "partition by pair_key, case when pair_key is null then position end"
    last = f"max({_SHOWN}) over ({by_key} order by position {_SO_FAR}) as last_shown"
    marks = [*marks, last, f"min({_SHOWN}) over ({by_key}) as first_shown"]
    named = f"when role in {_DECIDED} and pair_key is not null then coalesce(last_shown, first_shown) end"
    own = f"case when role = 'proposed' then position {named}"
    marked = f"select chosen.*, {', '.join(marks)} from ({rows}) as chosen"  # noqa: S608 - our own words, texts quoted
    if mapping.applied is None:
        return f"select {', '.join(['marked.*', f'{own} as target', *later])} from ({marked}) as marked"  # noqa: S608 - the same
    aimed = f"select {', '.join(['marked.*', f'{own} as own_target', *later])} from ({marked}) as marked"  # noqa: S608 - the same
    nearest = f"last_value(case when role in {TAKEN} then coalesce(own_target, -1) end) ignore nulls"
    target = f"case when role = 'applied' then nullif({nearest} over ({_BY_STREAM} {_SO_FAR}), -1) else own_target end"
    return f"select aimed.*, {target} as target from ({aimed}) as aimed"  # noqa: S608 - the same
