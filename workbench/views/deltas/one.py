"""One delta: its proposal against what became of it, its measures, and what the person saw."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from workbench.charts.deltas_retained import retained_chart
from workbench.charts.theme import choose_palette
from workbench.deltas.text.metrics import measure_texts
from workbench.deltas.text.redline import Operation, Redline, compare_texts
from workbench.errors import ArgumentError
from workbench.replay.sql.expressions import quote_texts
from workbench.session import Session
from workbench.views.deltas.asking import Asking, choose_deltas, holds_past
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.listing import find_neighbours, read_json
from workbench.views.deltas.reason import AddedReason, list_added
from workbench.views.deltas.structure import write_line

if TYPE_CHECKING:
    from workbench.deltas.delta import Delta

MOMENTS: Final[Mapping[str, str]] = {"taken": "what was taken", "today": "the value today"}
# Of the document they saw so many characters are shown, three quarters of them before the cursor.
SEEN: Final = 320
LONG_WORD: Final = 24
CAPTION: Final = (
    "words as drawn: a kept run of under 3 words inside a change counts as changed; TER and Levenshtein align anew"
)
Measure = tuple[str, str, str]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A moment a proposal can be held against: its name in a link and in words, and the value, if there was one."""

    name: str
    words: str
    value: str | None
    position: int | None
    is_censored: bool


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """One of what was proposed at once."""

    text: str
    confidence: float | None
    is_taken: bool
    is_hovered: bool


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The document as of a position: what stands before and after the cursor, of so many characters in all.

    Where no document is followed ``state`` is that of the proposal's stream, as JSON.
    """

    position: int
    before: str = ""
    after: str = ""
    starts: int = 0
    characters: int = 0
    state: str | None = None


class OneDelta(msgspec.Struct, frozen=True, kw_only=True):
    """A delta and everything about it that is the same whatever its proposal is held against.

    ``at`` is the position it is looked at from, where the log goes on behind it; ``hovers`` how often an alternative
    was pointed at before the decision, where the log tells.
    """

    delta: "Delta"
    row: Mapping[str, Any]
    proposed: Any
    neighbours: Mapping[str, int | None]
    asked: Asking
    at: int | None = None
    tokenised: bool = False
    added: Sequence[AddedReason] = ()
    hovers: int | None = None

    @property
    def is_structure(self) -> bool:
        """Tell whether what was proposed is no prose."""
        return not isinstance(self.proposed, str)


def load_one(session: Session, choices: DeltasChoices) -> OneDelta:
    """Return the delta that is open. Raises ArgumentError where no proposal stands at its position."""
    if choices.delta is None:
        raise ArgumentError("No delta is chosen. Choose one of the list.")
    at = choices.position if choices.position is not None and choices.position < session.head().last else None
    ask, delta = Asking(session, at), session.delta(choices.delta, at=at if holds_past(session) else None)
    row = judge(ask, choices, delta.row)
    return OneDelta(
        delta=delta,
        row=row,
        proposed=read_json(row["content"]),
        neighbours=find_neighbours(session, choices),
        asked=ask,
        at=at,
        tokenised=session.delta_mappings[row["kind"]].tokenised,
        added=list_added(ask, row),
        hovers=count_hovers(ask, row, session.delta_mappings[row["kind"]].hovers),
    )


def count_hovers(ask: Asking, row: Mapping[str, Any], types: Sequence[str]) -> int | None:
    """Return how often an alternative was pointed at before the decision; None where the log does not tell."""
    if not types or row["decision_position"] is None:
        return None
    statement = (
        f"select count(*) as hovers from events_stored where event_type in ({quote_texts(types)}) "  # noqa: S608 - names quoted, values bound
        "and stream_id = :seen_stream and position > :seen_after and position < :seen_until"
    )
    between = {"seen_after": row["position"], "seen_until": row["decision_position"]}
    return int(ask(statement, {"seen_stream": row["stream_id"], **between})["hovers"][0])


def judge(ask: Asking, choices: DeltasChoices, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the row with its decision as the choices count it: ``within`` may put the mapping's seconds aside."""
    open_alone = DeltasChoices(within=choices.within)
    chosen = choose_deltas(open_alone)
    found = ask(chosen.select("decision", "where position = :open"), {**chosen.parameters, "open": row["position"]})
    return {**row, "decision": found["decision"][0]} if found.height else row


def list_moments(one: OneDelta) -> list[Moment]:
    """Return what the proposal can be held against, in order of time; none where nothing was taken."""
    moments = [
        Moment(
            name=each.name,
            words=_name_moment(each.name, one.at),
            value=_text(each.value),
            position=each.position,
            is_censored=each.is_censored,
        )
        for each in one.delta.moments
        if each.name != "0"
    ]
    # Once the document has ended no later moment says more.
    ended = [each for each in moments if each.is_censored]
    return [each for each in moments if each not in ended[1:]]


def _name_moment(name: str, at: int | None) -> str:
    if name == "today" and at is not None:
        return f"the value at position {at:,}"
    return MOMENTS.get(name, f"after {name} s")


def _text(value: str | None) -> str | None:
    """Return what a JSON text holds where that is prose."""
    found = read_json(value)
    return found if isinstance(found, str) else None


def choose_moment(moments: Sequence[Moment], against: str) -> Moment | None:
    """Return the moment asked for, or, where it is none of these or censored, the last one with a value."""
    possible = [each for each in moments if each.value is not None]
    return next((each for each in possible if each.name == against), possible[-1] if possible else None)


def draw_redline(one: OneDelta, moment: Moment | None) -> Redline:
    """Return the proposal against the value at a moment; without one the proposal as it is."""
    proposed = str(one.proposed)
    if moment is None or moment.value is None:
        return Redline((Operation("keep", proposed),) if proposed else ())
    return compare_texts(proposed, moment.value, tokenised=one.tokenised)


def list_measures(one: OneDelta, moment: Moment | None, redline: Redline) -> list[list[Measure]]:
    """Return the measures in three columns, each as name, value and what it is made of."""
    row = one.row
    latency = (
        [("decision latency", _seconds(row["latency"]), f"to {row['decided']}")] if row["latency"] is not None else []
    )
    if moment is None or moment.value is None:
        return [latency] if latency else []
    texts = measure_texts(str(one.proposed), moment.value, tokenised=one.tokenised)
    phrases = len({each.move for each in redline.operations if each.move is not None})
    proposed = redline.words_kept + redline.words_moved + redline.words_deleted
    value = redline.words_kept + redline.words_moved + redline.words_inserted
    marked = f"{phrases} phrase{'s' if phrases > 1 else ''}, marked 1{f'–{phrases}' if phrases > 1 else ''}"  # noqa: RUF001 - from … to …
    words = [
        ("words kept", str(redline.words_kept), f"of {proposed} proposed"),
        ("words moved", str(redline.words_moved), marked if phrases else ""),
        ("words deleted", str(redline.words_deleted), f"of {proposed} proposed"),
        ("words inserted", str(redline.words_inserted), f"of {value} in the value"),
    ]
    return [words, _text_measures(texts), [*latency, *_span_measures(row)]]


def _text_measures(texts: Any) -> list[Measure]:
    ter = "" if texts.ter_edits is None else f"{texts.ter_edits:g} edits ÷ {texts.ter_words:g} words, sacrebleu"
    return [
        ("HTER", _two(texts.hter), ter if texts.fallback is None else str(texts.fallback)),
        (
            "Levenshtein, words",
            _share(texts.levenshtein_words, texts.levenshtein_words_of),
            _of(texts, "words", ", rapidfuzz"),
        ),
        (
            "Levenshtein, characters",
            _share(texts.levenshtein_characters, texts.levenshtein_characters_of),
            _of(texts, "characters", ""),
        ),
        ("chrF", "–" if texts.chrf is None else f"{texts.chrf:.1f}", "chrF2, sacrebleu"),  # noqa: RUF001 - the sign of no value
    ]


def _of(texts: Any, unit: str, tail: str) -> str:
    count, of = getattr(texts, f"levenshtein_{unit}"), getattr(texts, f"levenshtein_{unit}_of")
    return "" if count is None else f"{count:,} ÷ {of:,}{tail}"


def _span_measures(row: Mapping[str, Any]) -> list[Measure]:
    found: list[Measure] = []
    if row["characters_taken"] is not None:
        change = row["first_change"]
        found.append(
            (
                "first change",
                "none" if change is None else _seconds(change),
                "" if change is None else f"after {row['decided']}",
            )
        )
    for name, words in (
        ("human_inserted_share", "human share, inserted"),
        ("human_final_share", "human share, final text"),
    ):
        if row[name] is not None:
            found.append((words, f"{100 * row[name]:.0f} %", "of characters"))
    return found


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:,.1f} s"  # noqa: RUF001 - the sign of no value


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"  # noqa: RUF001 - the sign of no value


def _share(count: int | None, of: int | None) -> str:
    return _two(None if count is None or of is None else count / of if of else 0.0)


def list_alternatives(session: Session, one: OneDelta) -> list[Alternative]:
    """Return what was proposed at once, in the order shown."""
    mapping = session.delta_mappings[one.row["kind"]].alternatives
    items = read_json(one.row["alternatives"])
    if mapping is None or not isinstance(items, list):
        return []
    return [
        Alternative(
            text=_write(_member(item, mapping.content)),
            confidence=_number(None if mapping.confidence is None else _member(item, mapping.confidence)),
            is_taken=number == one.row["taken"],
            is_hovered=number == one.row["hovered"],
        )
        for number, item in enumerate(items)
    ]


def _member(item: Any, path: Sequence[str]) -> Any:
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item


def _write(value: Any) -> str:
    return value if isinstance(value, str) else write_line(value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def cut_seen(one: OneDelta) -> Seen | None:
    """Return what of the document they saw is shown, which is what stands around the cursor; or the stream's state."""
    saw = one.delta.saw
    if saw is None:
        return None
    if saw.text is None:
        return None if saw.state is None else Seen(state=saw.state, position=saw.position)
    length = len(saw.text)
    cursor = length if saw.cursor is None else max(0, min(length, saw.cursor))
    starts = _start_word(saw.text, max(0, min(cursor - SEEN * 3 // 4, length - SEEN)))
    return Seen(
        before=saw.text[starts:cursor],
        after=saw.text[cursor : min(length, starts + SEEN)],
        starts=starts,
        characters=length,
        position=saw.position,
    )


def _start_word(text: str, start: int) -> int:
    """Return where the first whole word from a place on begins; the place itself where none begins soon."""
    if start == 0 or text[start - 1].isspace():
        return start
    space = next((at for at in range(start, start + LONG_WORD) if text[at : at + 1].isspace()), None)
    return start if space is None else space + 1


def draw_retained(one: OneDelta, choices: DeltasChoices, *, width: int) -> dict[str, Any] | None:
    """Return what is left of a taken text over time: picture, notes and the share at each check; None unmeasured."""
    taken = one.row["characters_taken"]
    if not taken or not one.delta.retained:
        return None
    steps = [(seconds, characters / taken) for seconds, characters in one.delta.retained]
    end = one.delta.document_seconds
    last = one.delta.retained[-1]
    notes = [f"{last[1]:,} left after {last[0]:,.1f} s"] if len(steps) > 1 else ["untouched"]
    if end is not None:
        notes.append(f"{'document ends at' if one.at is None else 'the log went to'} {end:,.1f} s")
    looked = [(f"at {seconds} s", one.row[f"retained_{seconds}"]) for seconds in (30, 120, 600)]
    reached = [check for number, check in enumerate(looked) if number == 0 or looked[number - 1][1] is not None]
    checks = [(words, _left(characters, taken)) for words, characters in reached]
    palette = choose_palette(choices.theme)
    return {
        "spec": retained_chart(steps, end, palette, width=width).to_dict(validate=False),
        "taken": taken,
        "notes": notes,
        "checks": [*checks, ("at the end", _left(one.row["retained_end"], taken))],
    }


def _left(characters: int | None, taken: int) -> str:
    return "censored" if characters is None else f"{100 * characters / taken:.1f} %"
