"""Deltas in a real Chromium: the overview leads to the list, the list to one delta, and every choice to a link."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import start_server, stop_server
from tests.views.deltas_log import HOSTILE, make_log

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[str]:
    """The address of the site of letters, prices and lines."""
    folder = tmp_path_factory.mktemp("deltas") / "log"
    make_log(folder).close()
    process, address = start_server(folder, repository)
    yield address
    stop_server(process)


def open_deltas(page: Page, site: str, query: str = "") -> None:
    page.goto(f"{site}deltas/{query}")
    expect(page.locator(".wb-list tbody tr").first).to_be_visible()
    expect(page.locator(".wb-menu", has_text="person").first).to_be_visible()
    expect(page.locator(".wb .busy")).to_have_count(0)


def open_one(page: Page, site: str, query: str) -> None:
    page.goto(f"{site}deltas/{query}")
    expect(page.locator(".wb-onebody")).to_be_visible()


def count(page: Page, words: str) -> None:
    expect(page.locator(".wb-count")).to_have_text(words)


def test_the_home_page_leads_to_the_overview_with_its_pictures(page: Page, desk: str) -> None:
    page.goto(desk)
    page.get_by_role("link", name="Deltas", exact=True).first.click()
    count(page, "64 proposals shown · 100 % of 64")
    expect(page.locator(".wb-figure").first).to_contain_text("22 of 64 shown")
    for picture in ("split", "compare", "distances", "survival", "changes"):
        expect(page.locator(f".wb-{picture} canvas")).to_be_visible()
    expect(page.locator(".wb-listhead")).to_contain_text(
        "not among them: 1 request never shown, 1 second decision, 1 decision without a proposal"
    )


def test_a_column_a_bar_and_an_edit_lead_to_the_deltas_behind_them(page: Page, desk: str) -> None:
    open_deltas(page, desk, "?kind=letter")
    page.locator(".wb-edit", has_text="small").click()
    count(page, "27 proposals shown · 42.2 % of 64")
    page.get_by_role("button", name="Remove edit “small” added").click()
    count(page, "60 proposals shown · 93.8 % of 64")
    page.locator(".wb-split .wb-hot").first.click()
    expect(page.locator(".wb-chip", has_text="version")).to_contain_text("p1")
    expect(page.locator(".wb-chip", has_text="shown")).to_be_visible()
    page.get_by_role("button", name="clear", exact=True).click()
    count(page, "64 proposals shown · 100 % of 64")
    # The picture of all of them, not the one before it, is what is dragged over.
    expect(page.locator(".wb-distances")).to_contain_text("29 changed of")
    expect(page.locator(".wb .busy")).to_have_count(0)
    expect(page.locator(".wb-work")).to_be_hidden()
    bar = page.locator(".wb-drags").bounding_box()
    assert bar is not None
    page.mouse.move(bar["x"] + 1, bar["y"] + 40)
    page.mouse.down()
    page.mouse.move(bar["x"] + bar["width"] * 0.18, bar["y"] + 40, steps=3)
    page.mouse.up()
    expect(page.locator(".wb-chip", has_text="distance")).to_contain_text("0.00 \N{EN DASH} 0.20")


def test_a_menu_filters_and_a_field_the_log_has_not_got_says_so(page: Page, desk: str) -> None:
    open_deltas(page, desk, "?kind=price")
    expect(page.locator(".wb-menu.none", has_text="reason")).to_have_text("reason none recorded")
    page.locator(".wb-menu", has_text="person").click()
    page.get_by_role("checkbox", name="clerk-0").check()
    count(page, "1 proposal shown · 1.56 % of 64")
    page.wait_for_url(re.compile("person=clerk-0"))
    page.keyboard.press("Escape")
    expect(page.locator(".wb-pop")).to_have_count(0)


def test_no_match_says_which_filter_to_drop(page: Page, desk: str) -> None:
    page.goto(f"{desk}deltas/?kind=price&version=p2")
    page.get_by_role("button", name="Drop kind").click()
    count(page, "30 proposals shown · 46.9 % of 64")


def test_the_keys_go_through_the_list_into_a_delta_and_back(page: Page, desk: str) -> None:
    open_deltas(page, desk, "?kind=letter")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".wb-list tr[aria-selected='true']")).to_have_attribute("data-position", "2")
    page.keyboard.press("Enter")
    expect(page.locator(".wb-onebar")).to_contain_text("2 of 60")
    expect(page.locator(".wb-text").first).to_contain_text("inserted small")
    page.keyboard.press("j")
    expect(page.locator(".wb-onebar")).to_contain_text("3 of 60")
    page.keyboard.press("v")
    expect(page.get_by_role("button", name="inline", exact=True)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".wb-list tr[aria-selected='true']")).to_have_attribute("data-position", "4")
    page.wait_for_url(lambda address: "delta=" not in address)


def test_a_line_shows_its_alternatives_the_document_and_the_way_back(page: Page, desk: str) -> None:
    open_one(page, desk, "?delta=123")
    expect(page.locator(".wb-alternatives tr.taken")).to_contain_text("✓ accepted")
    expect(page.locator(".wb-document")).to_have_text("I think ")
    expect(page.locator(".wb-chain")).to_contain_text("Decision: accepted, alternative 2 of 2")
    page.locator(".wb-chain .wb-place", has_text="124").click()
    expect(page.locator(".wb-side")).to_contain_text("suggestion-select")
    page.keyboard.press("Escape")
    expect(page.locator(".wb-side")).to_be_hidden()


def test_a_price_is_told_by_path_side_by_side_and_as_a_patch(page: Page, desk: str) -> None:
    open_one(page, desk, "?kind=price&delta=117")
    row = page.locator(".wb-paths tr", has_text="/rate")
    expect(row).to_contain_text("NoteWritten")
    expect(row).to_contain_text("? in no event")
    page.keyboard.press("o")
    expect(page.locator(".wb-paths")).to_contain_text("/months")
    page.get_by_role("button", name="patch", exact=True).click()
    expect(page.locator(".wb-patch")).to_contain_text('"op": "replace"')


def test_what_comes_from_an_event_stays_text(page: Page, desk: str) -> None:
    open_deltas(page, desk, "?kind=letter&decision=pending&down=1")
    expect(page.locator("table.wb-list")).to_contain_text(HOSTILE)
    page.locator(".wb-list tbody tr").first.click()
    expect(page.locator(".wb-text").first).to_contain_text(HOSTILE)
    assert page.locator(".wb img, .wb script").count() == 0


def test_a_narrow_page_needs_no_sideways_scrolling(page: Page, desk: str) -> None:
    page.set_viewport_size({"width": 780, "height": 900})
    open_deltas(page, desk, "?theme=dark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".wb-list tbody tr").first.click()
    expect(page.locator(".wb-onebody")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_link_that_cannot_be_read_is_refused_with_a_way_out(page: Page, desk: str) -> None:
    page.goto(f"{desk}deltas/?decision=maybe")
    expect(page.locator(".wb-notice.failed").first).to_contain_text("decision=maybe")
    page.get_by_role("button", name="Clear the choices").click()
    count(page, "64 proposals shown · 100 % of 64")
