"""What takes long dims, says how far it is, and can be taken back: on a log whose payload is costly to read."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import start_server, stop_server
from tests.browser.steps import look_for, open_laboratory, run_all_cells, stop_and_ask_something_else, wait_for_picture
from tests.eventlog.tables import open_catalog

pytestmark = pytest.mark.browser

SIZE = 300_000
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
# The payload of an event is eight digests of 20 kB each: a text looked for in all of them is 48 GB of hashing, which
# takes 12 s where nothing else runs, while counting by type and time takes none of it.
DIGESTS = ", ".join(f"to_hex(sha256(to_utf8(rpad(id, 20000, '{letter}'))))" for letter in "abcdefgh")
SETTINGS = f"""
name = "crm"
[log]
table = "crm.audit"
[log.mapping]
event_id = "id"
stream_id = "entity"
event_type = "kind"
occurred_at = "happened"
data = '''concat('["', {DIGESTS}, '"]')'''
"""


@pytest.fixture(scope="module")
def slow_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a mapped log of 300,000 events."""
    folder = tmp_path_factory.mktemp("slow")
    catalog = open_catalog(folder)
    catalog.create_namespace("crm")
    numbers = range(SIZE)
    times = [MIDNIGHT + timedelta(seconds=90 * (number // 2)) for number in numbers]
    rows = pa.table(
        {
            "id": [f"a{number}" for number in numbers],
            "entity": [f"order-{number % 5_000}" for number in numbers],
            "kind": [("Opened", "Paid", "Closed")[number % 3] for number in numbers],
            "happened": pa.array(times, pa.timestamp("us", "UTC")),
        }
    )
    catalog.create_table("crm.audit", rows.schema).append(rows)
    (folder / "workbench.toml").write_text(SETTINGS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def slow_site(slow_log: Path, repository: Path) -> Iterator[str]:
    """The address of that log's site."""
    process, address = start_server(slow_log, repository)
    yield address
    stop_server(process)


def test_what_takes_long_can_be_stopped_and_the_next_question_is_answered(page: Page, slow_site: str) -> None:
    page.goto(f"{slow_site}timeline/")
    stop_and_ask_something_else(page)
    page.get_by_role("button", name="clear", exact=True).click()
    look_for(page, "A4D05B18")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Ask again").click()
    page.wait_for_url(re.compile("text=A4D05B18"))
    # A newer question makes the older one give way: nobody waits for what nobody wants.
    page.get_by_role("button", name="clear", exact=True).click()
    expect(page.locator(".wb-count")).to_have_text("300,000 of 300,000 events · 100 %")
    wait_for_picture(page)


def test_a_log_without_positions_is_paged_and_inspected_by_time_source_and_id(page: Page, slow_site: str) -> None:
    page.goto(f"{slow_site}timeline/")
    wait_for_picture(page)
    expect(page.locator(".wb-basis")).to_contain_text("mapped · snapshot")
    expect(page.locator("th").first).to_contain_text("occurred_at")
    shown = page.locator(".wb-rows .wb-dim").first
    page.get_by_label("Page after").click()
    expect(shown).to_have_text("51 – 100 of 300,000, in the order of time, source and id")  # noqa: RUF001 - an en dash stands between two figures
    page.get_by_label("Page before").click()
    expect(shown).to_contain_text("1 – 50 of")  # noqa: RUF001 - the same
    page.locator(".wb-rows tbody tr").nth(7).click()
    side = page.locator(".wb-side")
    expect(side).to_contain_text("2 events, ordered by source and id")
    page.keyboard.press("]")
    expect(side.locator("dd").first).to_have_text("a8")
    page.wait_for_url(re.compile("event=2026-03-02T00%3A06%3A00Z%2Fcrm.audit%2Fa8"))
    page.reload()
    expect(side.locator("dd").first).to_have_text("a8")


def test_in_jupyter_it_is_the_same(page: Page, slow_log: Path, repository: Path, tmp_path: Path) -> None:
    with open_laboratory(tmp_path, repository, WORKBENCH_LOG=str(slow_log)) as address:
        page.goto(address)
        run_all_cells(page)
        stop_and_ask_something_else(page)
