"""From mappings to SQL: each proposal with what was decided of it.

One pass over the events that a mapping names, and of payloads only what is asked for. A proposal and all that belongs
to it are told by windows: with pair = "next" over its stream, with pair = "names" over the id that decisions name.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from workbench.decode.registry import EMPTY, Registry
from workbench.deltas.columns import PROPOSAL_COLUMNS
from workbench.deltas.mapping import DeltaMapping
from workbench.deltas.pairing.reading import (
    DECISIONS,
    Reader,
    choose_reader,
    join_inserted,
    member_json,
    member_number,
    member_text,
    write_object,
)
from workbench.deltas.pairing.rows import BEHIND, TAKEN, mark_targets, select_rows
from workbench.query.upcast.text import quote_text
from workbench.replay.folding.paths import Path

_ALWAYS: Final = (
    *("position", "event_id", "stream_id", "shown_at", "recorded_at", "proposer"),
    *("decision", "decision_position", "decision_event_id", "decided_at", "decision_count"),
)
LATENCY: Final = (
    "case when s.decided_at >= s.shown_at "
    "then cast(date_diff('millisecond', s.shown_at, s.decided_at) as double) / 1000 end"
)


def select_proposals(mappings: Sequence[DeltaMapping], registry: Registry = EMPTY, *, up_to: int | None = None) -> str:
    """Return the SELECT of `proposals`, of the events up to a position; of one mapping or more."""
    return union(mappings, registry, lambda reader, relation: _select(reader, relation, up_to))


def union(mappings: Sequence[DeltaMapping], registry: Registry, write: Callable[[Reader, str], str]) -> str:
    """Return what ``write`` makes of each mapping, one below the other."""
    return " union all ".join(choose_reader(mapping, registry, write) for mapping in mappings)


def _select(reader: Reader, relation: str, up_to: int | None) -> str:
    """Return the SELECT of one mapping's proposals."""
    mapping = reader.mapping
    shown, decided = read_proposal(reader), read_decision(reader)
    columns = shown | decided | read_applied(reader) | read_request(reader)
    rows = mark_targets(mapping, select_rows(reader, relation, columns, up_to=up_to))
    grouped = _group(mapping, rows, shown, decided)
    follower = "lead(position) over (partition by stream_id order by position) as follower"
    ended = f"select {', '.join(['each.*', follower, *_applied(mapping)])} from ({grouped}) as each"  # noqa: S608 - our own words, texts quoted
    made = f"{_taken(mapping)} as taken_index, {_decision(mapping)} as decision"
    taken = f"select ended.*, {made} from ({ended}) as ended{_reached(mapping, up_to)}"  # noqa: S608 - the same
    answers = _answers(mapping, {name: f"s.{name}" for name in (*shown, *decided)})
    listed = ", ".join(
        f"{answers.get(name, f'cast(null as {kind})')} as {name}" for name, kind in PROPOSAL_COLUMNS.items()
    )
    return f"select {listed} from ({_choose(mapping, taken)}) as s{_first(reader, relation)}"  # noqa: S608 - the same


def read_proposal(reader: Reader) -> dict[str, str]:
    """Return what is read of a proposal, by name."""
    mapping, role = reader.mapping, "proposed"
    read = {"proposal_id": reader.text(mapping.id, role)}
    for name in ("model", "version", "rationale", "context"):
        path = getattr(mapping, name)
        if path is not None:
            read[name] = reader.text(path, role)
    if mapping.confidence is not None:
        read["confidence"] = reader.number(mapping.confidence, role)
    if mapping.content is not None:
        read["content"] = reader.content(mapping.content, role)
    listed = mapping.alternatives
    if listed is not None:
        read["alternatives"] = reader.json(listed.items, role)
        read["items"] = reader.items(listed)
    further = [(number, each) for number, each in enumerate(mapping.fields.values()) if not each.of_first]
    return read | {f"further_{number}": reader.json(each.path, role) for number, each in further}


def read_decision(reader: Reader) -> dict[str, str]:
    """Return what is read of a decision, by name."""
    mapping = reader.mapping
    person = reader.text(mapping.person, DECISIONS)
    # An editor that closes its list by itself is no person.
    is_actor = mapping.person == Path("actor_id")
    read = {"person": f"case when e.actor_kind = 'human' then {person} end" if is_actor else person}
    if mapping.reason:
        reasons = [reader.text(path, DECISIONS) for path in mapping.reason]
        read["reason"] = reasons[0] if len(reasons) == 1 else f"coalesce({', '.join(reasons)})"
    if mapping.value is not None and mapping.edited:
        read["edit"] = reader.content(mapping.value, "edited")
    if mapping.hovered is not None:
        read["hovered"] = f"try_cast({reader.scalar(mapping.hovered, DECISIONS)} as bigint)"
    if mapping.alternatives is not None and mapping.alternatives.taken is not None:
        read["chosen"] = f"try_cast({reader.scalar(mapping.alternatives.taken, DECISIONS)} as bigint)"
    return read


def read_request(reader: Reader) -> dict[str, str]:
    """Return who asked: whoever a proposal was made for decides of it, where the decision itself names nobody."""
    asker = reader.guarded("case when e.actor_kind = 'human' then e.actor_id end", "requested")
    return {"asker": asker} if reader.mapping.requested else {}


def read_applied(reader: Reader) -> dict[str, str]:
    """Return what is read of the event that puts a taken text in."""
    applied = reader.mapping.applied
    return {} if applied is None else {"inserted": reader.inserted(applied.delta)}


def _group(mapping: DeltaMapping, rows: str, shown: Mapping[str, str], decided: Mapping[str, str]) -> str:
    """Return one row a proposal: itself, the decision that counts, and what applied it."""
    of_proposal = {"stream_id": "stream_id", "event_id": "event_id", "shown_at": "occurred_at"}
    of_proposal |= {"recorded_at": "recorded_at", "proposer": "actor_id", **{name: name for name in shown}}
    if mapping.requested:
        of_proposal |= {"requested_position": "answers", "asked_by": "asked_by"}
    of_decision = {"decision_event_id": "event_id", "decided_at": "occurred_at", **{name: name for name in decided}}
    counted = "filter (where decision_rank is not null)"
    columns = ["target as position", f"{_COUNTS} as decision_position", f"{_decided(mapping)} as decided_role"]
    columns += [f"{_itself(of, name)} as {name}" for name, of in of_proposal.items()]
    columns += [f"min_by({of}, decision_rank) {counted} as {name}" for name, of in of_decision.items()]
    columns.append(f"{_count(mapping)} as decision_count")
    if mapping.applied is not None:
        columns += ["min(case when role = 'applied' then position end) as applied_position"]
        columns += ["min_by(inserted, position) filter (where role = 'applied') as inserted"]
    return f"select {', '.join(columns)} from ({rows}) as paired where target is not null group by target"  # noqa: S608 - our own words


_COUNTS: Final = f"min(decision_rank) - case when min(decision_rank) >= {BEHIND} then {BEHIND} else 0 end"


def _itself(of: str, name: str) -> str:
    """Return what the one proposal of a group says: the greatest of one value, which is quicker found than by place."""
    if name == "items":
        return f"min_by({of}, position) filter (where role = 'proposed')"
    return f"max(case when role = 'proposed' then {of} end)"


def _decided(mapping: DeltaMapping) -> str:
    """Return what the decision that counts is."""
    if mapping.accepted and mapping.edited:
        return "min_by(role, decision_rank) filter (where decision_rank is not null)"
    taken = "edited" if mapping.edited else "accepted"
    rank = "min(decision_rank)"
    return f"case when {rank} < {BEHIND} then '{taken}' when {rank} is not null then 'rejected' end"


def _applied(mapping: DeltaMapping) -> list[str]:
    """Return what is made of the text applied, a step at a time: an expression within another is planned many times."""
    if mapping.applied is None:
        return []
    made = [f"{join_inserted('inserted')} as applied_text"]
    if mapping.alternatives is not None:
        within = mapping.alternatives.content
        made.append(f"transform(items, item -> trim({member_text('item', within)})) as plain_texts")
    return made


def _choose(mapping: DeltaMapping, rows: str) -> str:
    """Return the rows with the alternative that was taken, else the first."""
    if mapping.alternatives is None:
        return rows
    item = "element_at(items, coalesce(taken_index, 0) + 1)"
    chosen = f"select taken.*, {item} as chosen_item from ({rows}) as taken"  # noqa: S608 - our own words, texts quoted
    content = member_json("chosen_item", mapping.alternatives.content)
    return f"select chosen.*, {content} as chosen_content from ({chosen}) as chosen"  # noqa: S608 - the same


def _count(mapping: DeltaMapping) -> str:
    if mapping.pair == "names":
        return "count(decision_rank)"
    # A rejection beside a taking is no decision of its own: an editor's list closes when one of it was taken, or twice.
    taken = f"count(case when role in {TAKEN} then 1 end)"
    return f"case when {taken} > 0 then {taken} else least(count(decision_rank), 1) end"


def _taken(mapping: DeltaMapping) -> str:
    """Return the index of the alternative that was taken: whose text was applied, else the one named, else the only."""
    if mapping.alternatives is None:
        return "cast(null as bigint)"
    found: list[str] = []
    if mapping.applied is not None:
        found.append("nullif(array_position(plain_texts, trim(applied_text)), 0) - 1")
        if mapping.hovered is not None:
            same = "element_at(plain_texts, case when hovered >= 0 then hovered + 1 end) = trim(applied_text)"
            found.insert(0, f"case when {same} then hovered end")
    if mapping.alternatives.taken is not None:
        found.append("case when chosen >= 0 and chosen < cardinality(items) then chosen end")
    alone = "cardinality(items) = 1" + (" and applied_text is null" if mapping.applied is not None else "")
    found.append(f"case when {alone} then 0 end")
    return f"case when decided_role in {TAKEN} then {_first_of(found)} end"


def _first_of(found: Sequence[str]) -> str:
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def _decision(mapping: DeltaMapping) -> str:
    """Return the decision; where there is none, what became of the proposal instead."""
    followed = "superseded" if mapping.pair == "names" else "expired"
    instead = [f"when follower is not null then '{followed}'"] if mapping.superseded else []
    if mapping.expires_after is not None:
        waited = "date_diff('millisecond', shown_at, reached_at)"
        instead.append(f"when {waited} >= {round(mapping.expires_after * 1000)} then 'expired'")
    undecided = f"case {' '.join(instead)} else 'pending' end" if instead else "'pending'"
    return f"coalesce(decided_role, {undecided})"


def _reached(mapping: DeltaMapping, up_to: int | None) -> str:
    """Return the instant to which a pending proposal has waited: when the last event was recorded."""
    if mapping.expires_after is None:
        return ""
    where = "" if up_to is None else f" where position <= {int(up_to)}"
    return f" cross join (select max(recorded_at) as reached_at from events_stored{where}) as head"  # noqa: S608 - the same


def _answers(mapping: DeltaMapping, known: Mapping[str, str]) -> dict[str, str]:
    """Return the expression of each column that a mapping gives."""
    content = known.get("content", "cast(null as varchar)")
    found = {
        **{name: f"s.{name}" for name in _ALWAYS},
        **{name: text for name, text in known.items() if name in PROPOSAL_COLUMNS},
        "kind": quote_text(mapping.name),
        "latency": LATENCY,
        "fields": _fields(mapping),
    }
    if mapping.alternatives is not None:
        content = "coalesce(s.chosen_content, s.content)" if mapping.content is not None else "s.chosen_content"
        found |= {"content": content, "alternative_count": "cardinality(s.items)", "taken": "s.taken_index"}
        if mapping.alternatives.confidence is not None:
            likely = member_number("s.chosen_item", mapping.alternatives.confidence)
            found["confidence"] = f"coalesce({likely}, s.confidence)" if "confidence" in known else likely
    if mapping.requested:
        found |= {"requested_position": "s.requested_position", "person": "coalesce(s.person, s.asked_by)"}
    if mapping.applied is not None:
        found["applied_position"] = "case when s.decision_position is not null then s.applied_position end"
    if mapping.pair == "names":
        found["superseded_by"] = "case when s.decision = 'superseded' then s.follower end"
    found["value"] = _value(mapping, content)
    return found


def _value(mapping: DeltaMapping, content: str) -> str:
    """Return what stands instead of the proposal: what was applied, else the content; where it was edited the edit."""
    applied = f"coalesce(json_format(cast(s.applied_text as json)), {content})" if mapping.applied else content
    edited = " when 'edited' then s.edit" if mapping.edited and mapping.value is not None else ""
    return f"case s.decision when 'accepted' then {applied}{edited} end"


def _fields(mapping: DeltaMapping) -> str:
    """Return the further columns as an object."""
    parts = [
        (name, f"first_event.further_{number}" if each.of_first else f"s.further_{number}")
        for number, (name, each) in enumerate(mapping.fields.items())
    ]
    return f"coalesce({write_object(parts)}, '{{}}')" if parts else "'{}'"


def _first(reader: Reader, relation: str) -> str:
    """Return the join with the first event of each stream, where a further column is read there."""
    wanted = [(number, each.path) for number, each in enumerate(reader.mapping.fields.values()) if each.of_first]
    if not wanted:
        return ""
    read = ", ".join(f"{reader.json(path, 'first')} as further_{number}" for number, path in wanted)
    first = f"select e.stream_id as first_stream, {read} from {relation} as e where e.stream_version = 0"  # noqa: S608 - our own words, texts quoted
    return f" left join ({first}) as first_event on first_event.first_stream = s.stream_id"
