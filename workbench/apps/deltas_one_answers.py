"""One delta as plain values: prose as a redline with its measures, structure as paths, sides and a patch."""

from collections.abc import Mapping
from typing import Any

from workbench.apps.answers import Answer, tell_time
from workbench.apps.deltas_answers import tell_redline
from workbench.deltas.structure.fields import PathDelta, StructureDelta, compare_values
from workbench.session import Session
from workbench.views.deltas.chain import Link, list_chain
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.listing import read_json
from workbench.views.deltas.one import (
    CAPTION,
    Alternative,
    OneDelta,
    choose_moment,
    cut_seen,
    draw_redline,
    draw_retained,
    list_alternatives,
    list_measures,
    list_moments,
    load_one,
)
from workbench.views.deltas.reason import offer_reasons
from workbench.views.deltas.run import Whole, count_whole, list_run, name_expected
from workbench.views.deltas.stood import Hint, SeenEvent, find_hint, find_judgements, find_stood, list_held, load_seen
from workbench.views.deltas.structure import Line, brief_path, group_paths, lay_sides, write_lines


def tell_delta(session: Session, choices: DeltasChoices, *, width: int) -> Answer:
    """Return the delta that is open. Raises ArgumentError where there is none."""
    one = load_one(session, choices)
    alternatives = list_alternatives(session, one)
    whole = count_whole(one.asked, one.row["kind"]) if one.is_structure else Whole()
    body = _structure(one, whole) if one.is_structure else _prose(one, choices, width)
    return {
        **one.neighbours,
        "at": one.at,
        "row": _row(one) | {"is_expected": whole.is_expected},
        "rationale": one.row["rationale"],
        "alternatives": [_alternative(each) for each in alternatives],
        "decisions": [_decision(each) for each in one.delta.decisions],
        "reasons": _reasons(one),
        "added": [{"text": each.text, "person": each.person, "position": each.position} for each in one.added],
        "offered": offer_reasons(one.asked, one.row["kind"]),
        "chain": [_link(each) for each in list_chain(one, alternatives)],
        **body,
        "asks": "one delta",
        "sql": one.asked.sql,
        "parameters": {name: str(value) for name, value in one.asked.parameters.items()},
    }


def _reasons(one: OneDelta) -> list[Answer]:
    """Return why it was decided so: what an agent's run was judged by, the decision's own reason, those added."""
    own = [each["reason"] for each in one.delta.decisions if each["ordinal"] == 1 and each["reason"] is not None]
    said = [{"text": text, "quote": None, "met": None} for text in (*own, *(each.text for each in one.added))]
    judged = find_judgements(one.asked, one.row) if one.is_structure and not own else []
    return [*({"text": each.text, "quote": each.quote, "met": each.is_met} for each in judged), *said]


def _row(one: OneDelta) -> Answer:
    row = one.row
    names = ("position", "kind", "decision", "decided", "model", "version", "proposer", "person", "decision_position")
    fields = read_json(row["fields"]) or {}
    written = {name: None if value is None else str(value) for name, value in fields.items()}
    # A call says what it calls, by whichever of these names the mapping gives it.
    named = next((name for name in ("name", "tool") if one.is_structure and written.get(name)), None)
    what = row["kind"] if named is None else f"{row['kind']} {written[named]}"
    return {
        **{name: row[name] for name in names},
        "stream": row["stream_id"],
        "shown": tell_time(row["shown_at"]),
        "fields": {name: value for name, value in written.items() if name != named},
        "structure": one.is_structure,
        "what": what,
    }


def _prose(one: OneDelta, choices: DeltasChoices, width: int) -> Answer:
    moments = list_moments(one)
    moment = choose_moment(moments, choices.against)
    redline = draw_redline(one, moment)
    value = None
    if moment is not None and moment.value is not None:
        words = moment.words.removeprefix("the ").capitalize()
        is_then = moment.name == "today" and one.at is not None
        position = None if is_then else moment.position
        value = {"words": words, "position": position, "characters": len(moment.value)}
    fallback = "" if redline.fallback is None else f"; compared by {redline.fallback}, as the texts are long"
    return {
        "moments": [
            {"name": each.name, "words": each.words, "value": each.value is not None, "censored": each.is_censored}
            for each in moments
        ],
        "against": None if moment is None else moment.name,
        "redline": tell_redline(redline.operations),
        "proposed": {"position": one.row["position"], "characters": len(str(one.proposed))},
        "value": value,
        "caption": CAPTION + fallback,
        "measures": list_measures(one, moment, redline),
        "retained": draw_retained(one, choices, width=width),
        "saw": _saw(one),
    }


def _saw(one: OneDelta) -> Answer | None:
    seen = cut_seen(one)
    if seen is None:
        return None
    return {
        "state": None if seen.state is None else write_lines(read_json(seen.state)),
        "before": seen.before,
        "after": seen.after,
        "from": seen.starts,
        "characters": seen.characters,
        "position": seen.position,
    }


def _alternative(each: Alternative) -> Answer:
    return {"text": each.text, "confidence": each.confidence, "taken": each.is_taken, "hovered": each.is_hovered}


def _decision(row: Mapping[str, Any]) -> Answer:
    return {name: row[name] for name in ("ordinal", "decision", "person", "position", "reason")}


def _link(link: Link) -> Answer:
    return {
        "what": link.what,
        "title": link.title,
        "first": link.first,
        "last": link.last,
        "at": tell_time(link.at),
        "seconds": link.seconds,
        "person": link.person,
        "kind": link.kind,
        "words": link.words,
        "note": link.note,
        "redline": None if link.redline is None else tell_redline(link.redline),
    }


def _structure(one: OneDelta, whole: Whole) -> Answer:
    value = read_json(one.row["value"])
    seen = load_seen(one.asked, one.row)
    told: Answer = {
        "retained": None,
        "saw": _saw(one),
        "moments": [],
        "value_word": "expected" if whole.is_expected else "decided",
        "held_of": len(seen),
        "fallback": None,
        "hint": None,
        "paths": [],
        "kept": [],
        "sides": None,
        "patch": "",
        "proposed_text": write_lines(one.proposed),
    }
    delta = compare_values(one.proposed, one.proposed if value is None else value)
    told |= {"sums": None if value is None else _sums(delta), "keyed": any(delta.keys.values())}
    expected = name_expected(one.asked, one.row) if whole.is_expected else None
    if whole.is_expected:
        told["whole"] = {name: getattr(whole, name) for name in ("differ", "match", "never", "total")}
        told["chain"] = [_link(each) for each in list_run(one, seen, delta.paths, expected)]
        told["expected"] = expected
    told["held"] = [
        {
            "position": each.event.position,
            "kind": each.event.kind,
            "who": each.event.words,
            "text": each.text,
            "code": each.is_code,
        }
        for each in list_held(seen, delta.paths)
    ]
    if value is None:
        return told
    at = one.row["decision_position"]
    words = told["value_word"].capitalize() + ("" if at is None else f" · position {at:,}")
    words += "" if expected is None else f" · action {expected}"
    return told | _compared(one, (value, words), delta, seen)


def _compared(one: OneDelta, told: tuple[Any, str], delta: StructureDelta, seen: list[SeenEvent]) -> Answer:
    """Return what was proposed against a value, which comes with the words it stands under."""
    value, words = told
    proposed, decided = lay_sides(one.proposed, value)
    return {
        "fallback": delta.fallback,
        "hint": _hint(one, find_hint(one.asked, one.row, delta.paths, seen)),
        "paths": [_path(each, seen) for each in group_paths(delta)],
        "kept": [_path(each, seen) for each in delta.paths if each.sign == "="],
        "sides": {
            "proposed_words": f"Proposed · position {one.row['position']:,}",
            "value_words": words,
            "proposed": [_line(each) for each in proposed],
            "value": [_line(each) for each in decided],
        },
        "patch": write_lines(delta.patch),
    }


def _sums(delta: StructureDelta) -> Answer:
    return {
        "kept": delta.paths_kept,
        "proposed": delta.paths_proposed,
        "acceptance": delta.field_acceptance,
        "changed": delta.paths_changed,
        "removed": delta.paths_removed,
        "added": delta.paths_added,
    }


def _path(path: "PathDelta | tuple[str, str | None]", seen: list[SeenEvent]) -> Answer:
    if not isinstance(path, PathDelta):
        return {"list": True, "path": path[0], "keys": path[1]}
    brief = brief_path(path)
    return {
        "list": False,
        "depth": path.path.count("/") - 1,
        "path": brief.path,
        "sign": brief.sign,
        "proposed": brief.proposed,
        "value": brief.value,
        "proposed_stood": _stood(find_stood(seen, path.proposed)) if path.proposed_at is not None else None,
        "value_stood": _stood(find_stood(seen, path.value)) if path.value_at is not None else None,
    }


def _stood(event: SeenEvent | None) -> Answer | None:
    return None if event is None else {"position": event.position, "words": event.words}


def _hint(one: OneDelta, hint: Hint | None) -> Answer | None:
    if hint is None:
        return None
    return {
        "proposals": hint.proposals,
        "shown": hint.shown,
        "proposed": hint.proposed,
        "expected": hint.expected,
        "text": hint.text,
        "kind": one.row["kind"],
        "fields": read_json(one.row["fields"]),
    }


def _line(line: Line) -> Answer:
    return {"sign": line.sign, "parts": [list(part) for part in line.parts]}
