"""What becomes of a proposal nobody decided: the next one stands in for it, unless its mapping says it does not."""

from pathlib import Path

import pytest

from tests.views.deltas_log import AI, MAPPINGS, Writer
from workbench.deltas.mapping import make_mapping
from workbench.errors import DeltaMappingError
from workbench.session import connect


def decide(folder: Path, further: str) -> list[str]:
    """Return what became of two letters to one customer that nobody decided, and of one to another."""
    (folder / "deltas").mkdir(parents=True)
    (folder / "deltas" / "letter.toml").write_text(MAPPINGS["letter"] + further, encoding="utf-8")
    writer = Writer()
    for stream in ("loan-1", "loan-1", "loan-2"):
        writer.write("LetterProposed", stream, AI, text="We regret.")
    with connect(folder) as session:
        session.append(writer.events)
        return session.sql("select decision from proposals order by position")["decision"].to_list()


def test_a_later_proposal_of_the_stream_supersedes_one_unless_told_otherwise(tmp_path: Path) -> None:
    assert decide(tmp_path / "one", "") == ["superseded", "pending", "pending"]
    assert decide(tmp_path / "other", "superseded = false") == ["pending", "pending", "pending"]
    assert decide(tmp_path / "waited", "superseded = false\nexpires_after = 60") == ["expired", "expired", "expired"]


@pytest.mark.parametrize("value", [True, False])
def test_by_place_nothing_is_superseded(value: bool) -> None:  # noqa: FBT001 - the value of a key
    table = {"proposed": ["Shown"], "accepted": ["Taken"], "pair": "next", "content": "data.text", "superseded": value}
    with pytest.raises(DeltaMappingError, match="superseded has no meaning with pair"):
        make_mapping("line", table)
