"""A text as runs against the plainest way there is: a list of units, each with its owner."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.deltas.document.runs import Runs

EDITS = st.lists(
    st.tuples(
        st.booleans(), st.integers(0, 60), st.integers(1, 9), st.integers(0, 3), st.sampled_from("abc\U0001f44d")
    ),
    max_size=40,
)


@given(st.text("xy\U0001f44d", max_size=12), EDITS)
def test_runs_say_what_a_list_of_units_says(start: str, edits: list[tuple[bool, int, int, int, str]]) -> None:
    runs = Runs(start, 9)
    plain = [(9, unit) for run in runs.texts for unit in run]
    for is_insert, place, count, owner, letter in edits:
        at = place % (len(plain) + 1)
        if is_insert:
            units = Runs(letter * count, 0).texts[0]
            inside = runs.insert(at, units, owner)
            left, right = plain[at - 1 : at] if at else [], plain[at : at + 1]
            whose = left[0][0] if left and right and left[0][0] == right[0][0] != owner else None
            assert inside == whose
            plain[at:at] = [(owner, unit) for unit in units]
        elif at < len(plain):
            gone = runs.delete(at, min(count, len(plain) - at))
            assert [(owner, unit) for owner, units in gone for unit in units] == plain[at : at + count]
            del plain[at : at + count]
        assert [(o, unit) for o, run in zip(runs.owners, runs.texts, strict=True) for unit in run] == plain
        assert runs.length == len(plain)
        assert all(one != other for one, other in zip(runs.owners, runs.owners[1:], strict=False))
        for whose in range(4):
            places = [place for place, (o, _) in enumerate(plain) if o == whose]
            assert runs.reach(whose) == ((places[0], places[-1] + 1) if places else None)
            stretch = plain[places[0] : places[-1] + 1] if places else []
            assert runs.stretch(whose) == "".join(unit for _, unit in stretch)
