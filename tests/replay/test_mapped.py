"""States of a table that someone else writes, read under the log's names."""

from pathlib import Path

import pytest

from tests.eventlog.foreign.test_mapping import AUDIT, PLAIN, WITH_POSITION, make_rows, write_settings
from tests.eventlog.tables import open_catalog
from workbench import connect
from workbench.errors import UnsupportedOnThisLogError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    catalog = open_catalog(tmp_path)
    catalog.create_namespace("crm")
    catalog.create_table("crm.audit", AUDIT).append(make_rows(0, 6))
    return tmp_path


def test_a_table_with_positions_has_states_like_any_log(folder: Path) -> None:
    write_settings(folder, WITH_POSITION | {"data": "payload"})
    with connect(folder) as session:
        assert session.state("document").select("entity_id", "document").rows() == [
            ("order-0", '{"n":3}'),
            ("order-1", '{"n":4}'),
            ("order-2", '{"n":5}'),
        ]
        assert session.state("document", position=2)["document"].to_list() == ['{"n":0}', '{"n":1}', '{"n":2}']
        assert session.blame("document", "order-1").item(0, "position") == 4


def test_a_table_without_positions_is_refused_with_what_would_help(folder: Path) -> None:
    write_settings(folder, PLAIN)
    with connect(folder) as session, pytest.raises(UnsupportedOnThisLogError, match="Map a column of whole numbers"):
        session.state("document")
