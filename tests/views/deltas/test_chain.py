"""The way back from today's value says what a person did before the decision, where a log tells."""

from pathlib import Path

from tests.views.deltas_log import AI, LINE, MAPPINGS, PEOPLE, Writer
from workbench.session import Session, connect
from workbench.views.deltas.chain import Link, list_chain
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.one import cut_seen, list_alternatives, load_one

TYPED = "I think "


def write_line(folder: Path, *, hovers: int, typed: str = TYPED) -> Session:
    """Return a session on a log of one line, which was pointed at so often before it was taken."""
    (folder / "deltas").mkdir(parents=True)
    mapping = MAPPINGS["line"] + 'hovers = ["suggestion-hover"]\ncontext = "data.cursor"\n'
    (folder / "deltas" / "line.toml").write_text(mapping, encoding="utf-8")
    writer, person = Writer(), PEOPLE[0]
    writer.write("text-insert", "essay", person, text_delta={"ops": [{"insert": typed}]})
    writer.write("suggestion-hover", "essay", person, seconds=1)
    writer.write("suggestion-get", "essay", person, seconds=1)
    shown = [{"trimmed": LINE, "probability": 0.5}]
    writer.write("suggestion-open", "essay", AI, seconds=1, suggestions=shown, cursor=8)
    for _ in range(hovers):
        writer.write("suggestion-hover", "essay", person, seconds=1)
    writer.write("suggestion-select", "essay", person, seconds=1, hover=0)
    text = {"ops": [{"retain": len(typed)}, {"insert": LINE}]}
    writer.write("text-insert", "essay", AI, seconds=0.1, text_delta=text)
    session = connect(folder)
    session.append(writer.events)
    return session


def link(session: Session, what: str) -> Link:
    one = load_one(session, DeltasChoices(delta=3))
    return next(each for each in list_chain(one, list_alternatives(session, one)) if each.what == what)


def test_hovers_between_proposal_and_decision_are_counted(tmp_path: Path) -> None:
    with write_line(tmp_path / "log", hovers=7) as session:
        assert link(session, "decision").words == "8.0 s after it was shown, 7 hovers"
        assert link(session, "requested").words == "cursor at character 8 of 8"


def test_one_hover_is_one_and_none_is_not_told(tmp_path: Path) -> None:
    with write_line(tmp_path / "one", hovers=1) as session:
        assert link(session, "decision").words == "2.0 s after it was shown, 1 hover"
    with write_line(tmp_path / "none", hovers=0) as session:
        assert link(session, "decision").words == "1.0 s after it was shown"


def test_what_they_saw_begins_with_a_whole_word(tmp_path: Path) -> None:
    with write_line(tmp_path / "words", hovers=0, typed="communication " * 40) as session:
        seen = cut_seen(load_one(session, DeltasChoices(delta=3)))
        assert seen is not None
        assert seen.before.startswith("communication ")
        assert 300 < len(seen.before + seen.after) <= 320
    with write_line(tmp_path / "one", hovers=0, typed="x" * 500) as session:
        seen = cut_seen(load_one(session, DeltasChoices(delta=3)))
        assert seen is not None
        assert len(seen.before + seen.after) == 320
