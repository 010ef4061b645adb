"""An earlier position is answered from what was kept where nothing has grown since, and else worked out anew."""

from pathlib import Path

import pytest

from tests.views.deltas_log import PEOPLE, Writer, make_log, write_letters, write_lines, write_prices
from workbench.deltas.pairing import lifecycle
from workbench.deltas.past import cut_events
from workbench.query.base import Relation
from workbench.session import connect

EVERYTHING = "select * from deltas order by kind, position"


def test_events_that_are_lifted_from_stored_ones_are_cut_with_them() -> None:
    stored = Relation(name="events_stored", columns={"position": "bigint", "data": "varchar"}, version="7")
    lifted = Relation(name="events", columns=stored.columns, version="7", select="select * from events_stored")
    cut = cut_events({"events_stored": stored, "events": lifted}, 3)
    assert cut["events"] is lifted
    assert cut["events_stored"].select == "select position, data from all_events_stored where position <= 3"
    assert cut["all_events_stored"].parts is stored.parts


@pytest.mark.parametrize("most", [lifecycle.MOST, 1])
def test_a_log_that_has_grown_says_the_same_of_an_earlier_position(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with more proposals than are held in memory, where everything is measured anew."""
    monkeypatch.setattr(lifecycle, "MOST", most)
    written = Writer()
    for write in (write_letters, write_prices, write_lines):
        write(written)
    with make_log(tmp_path / "log") as session:
        head, before = session.head().last, session.ask(EVERYTHING, {})
        written.write("text-insert", "essay", PEOPLE[0], text_delta={"ops": [{"retain": 12}, {"insert": "very "}]})
        written.write("LetterAccepted", "loan-09", PEOPLE[0], proposal="d17")
        session.append(written.events[-2:])
        assert not session.ask(EVERYTHING, {}).equals(before)
        assert session.asking_at(head)(EVERYTHING, {}).equals(before)
        with connect(tmp_path / "log") as anew:
            assert anew.asking_at(head)(EVERYTHING, {}).equals(before)
            assert anew.asking_at(-1)(EVERYTHING, {}).is_empty()
