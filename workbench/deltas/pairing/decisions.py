"""From mappings to SQL: each decision with its proposal and its place among several, each request with what it got."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from workbench.decode.registry import EMPTY, Registry
from workbench.deltas.mapping import DeltaMapping
from workbench.deltas.pairing.proposals import read_applied, read_decision, read_proposal, read_request, union
from workbench.deltas.pairing.reading import DECISIONS, Reader, join_inserted, member_json
from workbench.deltas.pairing.rows import DEPTH, TAKEN, mark_targets, select_rows
from workbench.query.upcast.text import quote_text

# Behind every rank.
_LAST: Final = 9223372036854775807
_INSTANT: Final = "timestamp(6) with time zone"
DECISION_COLUMNS: Final = {
    "kind": "varchar",
    "position": "bigint",
    "event_id": "varchar",
    "stream_id": "varchar",
    "decided_at": _INSTANT,
    "decision": "varchar",
    "person": "varchar",
    "reason": "varchar",
    "value": "varchar",
    "proposal_position": "bigint",
    "ordinal": "bigint",
    "names": "varchar",
}
REQUEST_COLUMNS: Final = {
    "kind": "varchar",
    "position": "bigint",
    "event_id": "varchar",
    "stream_id": "varchar",
    "requested_at": _INSTANT,
    "person": "varchar",
    "proposal_position": "bigint",
}
_ALWAYS: Final = ("position", "event_id", "stream_id", "decided_at", "decision")


def select_decisions(mappings: Sequence[DeltaMapping], registry: Registry = EMPTY, *, up_to: int | None = None) -> str:
    """Return the SELECT of `decisions`, of the events up to a position; of one mapping or more."""
    return union(mappings, registry, lambda reader, relation: _decisions(reader, relation, up_to))


def select_requests(mappings: Sequence[DeltaMapping], registry: Registry = EMPTY, *, up_to: int | None = None) -> str:
    """Return the SELECT of `requests`, of the events up to a position; of one mapping or more that has requests."""
    return union(mappings, registry, lambda reader, relation: _requests(reader, relation, up_to))


def _decisions(reader: Reader, relation: str, up_to: int | None) -> str:
    mapping = reader.mapping
    is_named = mapping.pair == "names"
    decided, applied = read_decision(reader), read_applied(reader)
    contents = {name: text for name, text in read_proposal(reader).items() if name in ("content", "alternatives")}
    names = {"names": reader.scalar(mapping.names, DECISIONS)} if is_named else {}
    columns = decided | applied | contents | names | read_request(reader)
    rows = select_rows(reader, relation, columns, up_to=up_to)
    told = _tell(mapping, mark_targets(mapping, rows), decided | names, contents)
    read = [name for name in ("person", "reason", "names") if name in columns]
    answers = {
        **{name: f"d.{name}" for name in (*_ALWAYS, *read)},
        "kind": quote_text(mapping.name),
        "value": _value(mapping, contents),
        "proposal_position": "d.target",
        "ordinal": "case when d.target is not null then d.place end",
    }
    if mapping.requested:
        answers["person"] = "coalesce(d.person, d.asked_by)"
    # A rejection beside a taking, or a second one, is no decision of its own where nothing names what is decided.
    again = "d.takings > 0 or (d.target is not null and d.place > 1)"
    beside = "" if is_named else f" and not (d.decision = 'rejected' and ({again}))"
    kept = f"d.decision in ('accepted', 'edited', 'rejected'){beside}"
    return f"select {_show(answers, DECISION_COLUMNS)} from ({told}) as d where {kept}"  # noqa: S608 - our own words, texts quoted


def _tell(mapping: DeltaMapping, rows: str, own: Iterable[str], contents: Iterable[str]) -> str:
    """Return the rows with what they know of one another."""
    whose = "partition by stream_id, target" if mapping.pair == "next" else "partition by target"
    known = ["position", "event_id", "stream_id", "occurred_at as decided_at", "role as decision", "target", *own]
    known.append(f"row_number() over ({whose} order by coalesce(decision_rank, {_LAST})) as place")
    known.append(f"count(case when role in {TAKEN} then 1 end) over ({whose}) as takings")
    shown = [*contents, *(["asked_by"] if mapping.requested else [])]
    known += [f"max({name}) over (partition by target) as {name}" for name in shown]
    if mapping.applied is not None:
        # The next of these in the stream; a rejection, and another proposal where names tell, does not come between.
        others = "('rejected', 'requested')" if mapping.pair == "next" else "('rejected', 'requested', 'proposed')"
        order = f"partition by stream_id, case when role in {others} then position end order by position"
        known.append(f"lead(case when role = 'applied' then inserted end) over ({order}) as inserted")
    return f"select {', '.join(known)} from ({rows}) as paired"  # noqa: S608 - our own words


def _value(mapping: DeltaMapping, contents: Collection[str]) -> str:
    """Return what stands instead of the proposal by this decision alone."""
    text = join_inserted("d.inserted")
    found = [f"json_format(cast({text} as json))"] if mapping.applied is not None else []
    if mapping.alternatives is not None:
        chosen = "coalesce(d.chosen, 0) + 1" if mapping.alternatives.taken is not None else "1"
        item = f"element_at(try_cast(json_parse(d.alternatives) as array(json)), {chosen})"
        found.append(member_json(item, mapping.alternatives.content))
    found += ["d.content"] if "content" in contents else []
    accepted = found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
    edited = " when 'edited' then d.edit" if mapping.edited and mapping.value is not None else ""
    return f"case d.decision when 'accepted' then {accepted}{edited} end"


def _requests(reader: Reader, relation: str, up_to: int | None) -> str:
    mapping = reader.mapping
    rows = select_rows(reader, relation, {}, up_to=up_to, roles=("requested", "proposed"))
    following = "lead(case when role = 'proposed' then position end)"
    answer = f"{following} over (partition by stream_id, depth order by position)"
    told = (
        f"select each.*, {answer} as proposal_position from (select listed.*, {DEPTH} from ({rows}) as listed) as each"  # noqa: S608 - our own words
    )
    answers = {
        **{name: f"r.{name}" for name in ("position", "event_id", "stream_id", "proposal_position")},
        "kind": quote_text(mapping.name),
        "requested_at": "r.occurred_at",
        "person": "r.actor_id",
    }
    return f"select {_show(answers, REQUEST_COLUMNS)} from ({told}) as r where r.role = 'requested'"  # noqa: S608 - the same


def _show(answers: Mapping[str, str], columns: Mapping[str, str]) -> str:
    """Return the columns of a relation, typed nulls where a mapping gives none."""
    return ", ".join(f"{answers.get(name, f'cast(null as {kind})')} as {name}" for name, kind in columns.items())
