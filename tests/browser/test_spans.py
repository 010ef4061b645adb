"""A run of an agent in a real Chromium: as a tree with bars, by hand and by keys, on texts that would attack it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.apps.conftest import HOSTILE
from tests.browser.conftest import start_server, stop_server
from tests.runs import RUN, write_run
from workbench.session import connect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[str]:
    """The address of a log of one run, whose every text is hostile."""
    folder = tmp_path_factory.mktemp("runs")
    with connect(folder / "log") as session:
        session.ingest(write_run(folder, HOSTILE))
    process, address = start_server(folder / "log", repository)
    yield address
    stop_server(process)


def open_run(page: Page, runs: str) -> None:
    page.goto(f"{runs}timeline/?stream_id={RUN}")
    expect(page.locator(".wb-spans tbody tr")).to_have_count(11)


def test_a_run_is_a_tree_of_what_led_to_what_with_bars_of_how_long(page: Page, runs: str) -> None:
    open_run(page, runs)
    table = page.get_by_role("treegrid", name=f"Run {RUN} as spans")
    levels = [row.get_attribute("aria-level") for row in table.locator("tbody tr").all()]
    assert levels == ["1", "1", "2", "3", "2", "3", "1", "2", "3", "1", "1"]
    expect(page.locator(".wb-spans .wb-line")).to_contain_text("11 spans, 3 calls of tools, in 12.0 s · zone unknown")
    call = table.get_by_role("row").filter(has_text="differs from what was expected")
    expect(call).to_contain_text("book")
    expect(call).to_contain_text("2.0 s")
    boxes = [table.locator("tbody tr").nth(row).locator("i.work").bounding_box() for row in (4, 7)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["width"] == pytest.approx(1.5 * boxes[1]["width"], rel=0.05)
    assert boxes[0]["x"] < boxes[1]["x"]


def test_what_a_run_says_is_text(page: Page, runs: str) -> None:
    open_run(page, runs)
    expect(page.locator(".wb-spans tbody tr").first).to_contain_text(HOSTILE)
    assert page.locator(".wb-spans").locator("img, script").count() == 0


def test_keys_go_through_a_run_fold_it_and_open_its_events(page: Page, runs: str) -> None:
    open_run(page, runs)
    rows = page.locator(".wb-spans tbody tr")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(rows).to_have_count(7)
    expect(rows.nth(1)).to_be_focused()
    expect(rows.nth(1)).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_count(11)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(rows.nth(3)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".wb-side")).to_contain_text("ToolCalled")
    expect(page.locator(".wb-side")).to_contain_text("zone unknown")
    expect(rows.nth(2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(rows.last).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    expect(rows.first).to_be_focused()
    # The arrows of the run do not move the window.
    expect(page.locator(".wb-chip")).to_have_count(1)


def test_calls_fold_at_once_and_a_log_of_other_streams_has_no_spans(page: Page, runs: str, site: str) -> None:
    open_run(page, runs)
    rows = page.locator(".wb-spans tbody tr")
    page.get_by_role("button", name="fold calls").click()
    expect(rows).to_have_count(5)
    page.get_by_role("button", name="unfold calls").click()
    rows.nth(1).locator(".wb-spanfold").click()
    expect(rows).to_have_count(7)
    page.get_by_role("button", name="clear", exact=True).click()
    expect(rows).to_have_count(0)
    page.goto(f"{site}timeline/?stream_id=account-1")
    expect(page.locator(".wb-rows tbody tr").first).to_be_visible()
    expect(page.locator(".wb .busy")).to_have_count(0)
    expect(rows).to_have_count(0)
