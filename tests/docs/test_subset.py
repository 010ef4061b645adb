"""The page on SQL says what the tables that judge a statement say."""

import runpy
from pathlib import Path


def test_the_page_on_sql_lists_the_subset_as_it_is(repository: Path) -> None:
    page = runpy.run_path(str(repository / "docs" / "subset.py"))
    assert (repository / "docs" / "sql.md").read_text(encoding="utf-8") == page["write_page"](), (
        "write it anew with: python docs/subset.py"
    )
