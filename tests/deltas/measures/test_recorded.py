"""Edit shares that a log records itself."""

from pathlib import Path

import pytest

from workbench.deltas.measures.recorded import average_recorded
from workbench.errors import ArgumentError
from workbench.session import connect


@pytest.mark.data
def test_programmers_change_more_of_a_completion_the_longer_it_stands(
    shared_data: Path, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "L" / "deltas").mkdir(parents=True)
    mapping = repository / "datasets" / "deltas" / "cups.toml"
    (tmp_path / "L" / "deltas" / "completion.toml").write_text(mapping.read_text())
    with connect(tmp_path / "L") as session:
        session.ingest(
            shared_data / "copilot-cups" / "events.jsonl.gz",
            mapping=repository / "datasets" / "mappings" / "cups.toml",
        )
        for kind in (None, "completion"):
            checks = average_recorded(session.ask, "data.EditPercentage", kind)
            assert checks["check"].to_list() == [1, 2, 3, 4, 5]
            assert checks["taken"].to_list() == [386] * 5
            assert checks["mean"].round(4).to_list() == [0.0716, 0.0854, 0.0998, 0.1201, 0.1300]
            assert checks["untouched"].to_list() == [270, 261, 250, 240, 230]
        assert not average_recorded(session.ask, "data.EditPercentage", "letter").height
        with pytest.raises(ArgumentError, match="'stream_id' leads to no member"):
            average_recorded(session.ask, "stream_id")
