"""A reason added on the page is an event in the log; it shows in the delta, its chain and the filter, as text."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import start_server, stop_server
from tests.views.deltas_log import HOSTILE, make_log

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[str]:
    """The address of the site of letters, prices and lines, to be written to."""
    folder = tmp_path_factory.mktemp("reasons") / "log"
    make_log(folder).close()
    process, address = start_server(folder, repository)
    yield address
    stop_server(process)


def test_a_reason_is_added_by_hand_and_shows_wherever_reasons_do(page: Page, desk: str) -> None:
    page.goto(f"{desk}deltas/?delta=0")
    reasons = page.locator(".wb-reasons")
    expect(reasons).to_contain_text("none recorded")
    head = page.locator(".wb-header").inner_text()
    page.get_by_role("button", name="Add reason ▾").click()
    expect(page.get_by_label("Reason", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Reason", exact=True)).to_be_hidden()
    expect(page.locator(".wb-onebody")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_label("Reason", exact=True).fill(HOSTILE)
    page.get_by_label("Who says so").fill("anna")
    page.get_by_role("button", name="Add reason", exact=True).click()
    expect(page.locator(".wb-notice").first).to_contain_text("The reason stands at position 132.")
    expect(reasons).to_contain_text(HOSTILE)
    expect(page.locator(".wb-chain li").first).to_contain_text("Reason added")
    expect(page.locator(".wb-chain li").first).to_contain_text("by anna")
    assert page.locator(".wb img, .wb script").count() == 0
    assert page.locator(".wb-header").inner_text() != head
    page.locator(".wb-chain .wb-place", has_text="132").click()
    expect(page.locator(".wb-side")).to_contain_text("ReasonAdded")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator(".wb-menu", has_text="reason").first.click()
    expect(page.locator(".wb-pop")).to_contain_text(HOSTILE)


def test_a_link_from_before_shows_the_log_as_it_was_and_says_so(page: Page, desk: str) -> None:
    page.goto(f"{desk}deltas/?delta=0&position=1")
    expect(page.locator(".wb-notice").first).to_contain_text("You see what the log knew then.")
    expect(page.locator(".wb-reasons")).to_contain_text("none recorded")
    expect(page.locator(".wb-reasons")).to_contain_text("other decisionsnone")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".wb-reasons")).to_contain_text("accepted by clerk-1")
