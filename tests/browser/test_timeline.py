"""The timeline in a real Chromium: every step a person takes, on a log that would attack them."""

import json
import re
from pathlib import Path

import msgspec
import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.apps.conftest import HOSTILE
from tests.browser.conftest import start_server, stop_server
from workbench.apps.answers import Request
from workbench.apps.bundle import load_bundle
from workbench.apps.widget import TimelineWidget
from workbench.session import connect

pytestmark = pytest.mark.browser


def open_timeline(page: Page, site: str, query: str = "") -> None:
    page.goto(f"{site}timeline/{query}")
    expect(page.locator(".wb-chart canvas")).to_be_visible()
    expect(page.locator(".wb-rows tbody tr").first).to_be_visible()


def drag(page: Page, selector: str, begin: float, end: float) -> None:
    # Where it stands once the picture in it is drawn: two frames alike.
    expect(page.locator(".wb .busy")).to_have_count(0)
    box = None
    while box is None or box != page.locator(selector).bounding_box():
        box = page.locator(selector).bounding_box()
        page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * begin, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (begin + end) / 2, middle)
    page.mouse.move(box["x"] + box["width"] * end, middle)
    page.mouse.up()


def matching(page: Page) -> int:
    return int(page.locator(".wb-count b").inner_text().replace(",", ""))


def span(first: int, last: int, total: int) -> str:
    return f"{first} – {last} of {total}, in position order"  # noqa: RUF001 - an en dash stands between two figures


def test_the_home_page_leads_to_the_timeline(page: Page, site: str) -> None:
    page.goto(site)
    expect(page.get_by_text("The log is whole.")).to_be_visible()
    expect(page.locator("table")).to_contain_text(HOSTILE)
    page.get_by_role("link", name="Timeline", exact=True).first.click()
    expect(page.locator(".wb-count")).to_have_text("120 of 120 events · 100 %")


@pytest.mark.parametrize("selector", [".wb-stripbox", ".wb-plot"])
def test_dragging_chooses_a_window_that_counts_rows_and_link_follow(page: Page, site: str, selector: str) -> None:
    open_timeline(page, site)
    drag(page, selector, 0.25, 0.5)
    expect(page.locator(".wb-chip")).to_contain_text("window")
    expect(page.locator(".wb-count b")).not_to_have_text("120")
    page.wait_for_url(re.compile("since=.*until="))
    chosen = matching(page)
    assert 20 <= chosen <= 40
    expect(page.locator(".wb-rows .wb-dim").first).to_have_text(span(1, chosen, chosen))
    open_timeline(page, site, "?" + page.url.split("?")[1])
    assert matching(page) == chosen
    page.keyboard.press("0")
    expect(page.locator(".wb-count b")).to_have_text("120")
    page.keyboard.press("Escape")
    expect(page.locator(".wb-count b")).to_have_text(str(chosen))


def test_a_facet_filters_by_only_and_not_and_its_chip_is_removed(page: Page, site: str) -> None:
    open_timeline(page, site)
    row = page.locator(".wb-facet").first.locator("li", has_text="LetterSent")
    row.hover()
    row.get_by_text("only").click()
    expect(page.locator(".wb-count")).to_have_text("30 of 120 events · 25.0 %")
    page.get_by_label("Remove event_type is LetterSent").click()
    expect(page.locator(".wb-count b")).to_have_text("120")
    row.hover()
    row.get_by_text("not").click()
    expect(page.locator(".wb-count b")).to_have_text("90")
    page.get_by_role("button", name="clear", exact=True).click()
    expect(page.locator(".wb-count b")).to_have_text("120")


def test_any_value_can_be_filtered_by_its_field(page: Page, site: str) -> None:
    open_timeline(page, site)
    page.get_by_role("button", name="+ filter").click()
    page.get_by_label("Field").select_option("stream_id")
    page.get_by_label("Value", exact=True).fill("account-2")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".wb-count b")).to_have_text("30")
    expect(page.locator(".wb-chip")).to_contain_text("stream_id is account-2")


def test_rows_are_paged_in_position_order_and_a_position_is_gone_to(page: Page, site: str) -> None:
    open_timeline(page, site)
    shown = page.locator(".wb-rows .wb-dim").first
    page.get_by_label("Page after").click()
    expect(shown).to_have_text(span(51, 100, 120))
    page.get_by_label("Page before").click()
    expect(shown).to_have_text(span(1, 50, 120))
    page.get_by_label("Go to position").fill("115")
    page.keyboard.press("Enter")
    expect(shown).to_have_text(span(116, 120, 120))
    expect(page.locator(".wb-rows tbody tr").first.locator("td").last).to_have_text("40 min")


def test_an_answer_does_not_disturb_what_is_being_typed(page: Page, site: str) -> None:
    page.goto(f"{site}timeline/?stream_id=account-1&stream_id=account-2")
    find = page.get_by_label("Find text in any event")
    # Typed while the first answers come in, each of which draws around the field.
    find.press_sequentially("account-2", delay=150)
    expect(page.locator(".wb-rows tbody tr").first).to_be_visible()
    expect(find).to_have_value("account-2")
    find.press("Enter")
    expect(page.locator(".wb-count b")).to_have_text("30")


def test_the_inspector_shows_an_attacking_event_as_text(page: Page, site: str) -> None:
    open_timeline(page, site)
    page.locator(".wb-rows tbody tr").nth(8).click()
    side = page.locator(".wb-side")
    expect(side.locator(".wb-tree").first).to_contain_text("javascript:alert(3)")
    expect(side.get_by_role("heading", name=HOSTILE)).to_be_visible()
    expect(side).to_contain_text("position 8")
    side.get_by_role("button", name="Raw").click()
    raw = json.loads(side.locator("pre").first.inner_text())
    assert raw == {HOSTILE: HOSTILE, "link": "javascript:alert(3)", "number": 8}
    assert page.locator(".wb").locator("img, script, iframe").count() == 0
    expect(side.get_by_role("heading", name="Stream account-0")).to_be_visible()
    page.keyboard.press("]")
    expect(side).to_contain_text("position 9")
    page.keyboard.press("Escape")
    expect(side).to_contain_text("This window")


def test_a_link_opens_event_and_page_again(page: Page, site: str) -> None:
    open_timeline(page, site, "?event=60&row=55&position=119")
    expect(page.locator(".wb-side")).to_contain_text("position 60")
    expect(page.locator('tr[aria-selected="true"] td').first).to_have_text("60")
    expect(page.locator(".wb-rows .wb-dim").first).to_have_text(span(56, 105, 120))


def test_when_nothing_matches_the_page_says_which_filter_to_drop(page: Page, site: str) -> None:
    open_timeline(page, site)
    page.get_by_label("Find text in any event").fill("no such text")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No event matches this filter.")).to_be_visible()
    expect(page.locator(".wb-nomatch dd").first).to_have_text("120")
    page.get_by_role("button", name="Drop text").click()
    expect(page.locator(".wb-count b")).to_have_text("120")


def test_a_link_that_cannot_be_read_is_refused_in_one_sentence(page: Page, site: str) -> None:
    page.goto(f"{site}timeline/?since=banana")
    expect(page.get_by_role("alert")).to_contain_text("Refused: The link says since=banana")
    page.get_by_role("button", name="Clear the choices").click()
    expect(page.locator(".wb-count b")).to_have_text("120")


def test_a_link_from_an_earlier_position_shows_what_the_log_knew(page: Page, site: str) -> None:
    open_timeline(page, site, "?position=99")
    expect(page.locator(".wb-notice").first).to_contain_text("This link was made at position 99.")
    expect(page.locator(".wb-count")).to_have_text("100 of 100 events · 100 %")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".wb-count b")).to_have_text("120")


def test_times_are_said_in_the_zone_that_was_chosen(page: Page, site: str) -> None:
    open_timeline(page, site)
    first = page.locator(".wb-rows tbody tr").first.locator("td.time")
    expect(first).to_have_text("2026-03-02 00:00:00.000")
    page.get_by_role("button", name="Local").click()
    expect(first).to_have_text("2026-03-02 09:00:00.000")
    expect(page.locator("th", has_text="occurred_at")).to_contain_text("Asia/Tokyo")
    page.get_by_role("button", name="Relative").click()
    expect(first).to_have_text("−0 d 19:50:00.000")  # noqa: RUF001 - a true minus
    page.wait_for_url(re.compile("zone=relative"))


def test_rows_and_picture_can_be_taken_away(page: Page, site: str) -> None:
    open_timeline(page, site, "?stream_id=account-1")
    with page.expect_download() as rows:
        page.get_by_role("button", name="Rows as JSON").click()
    lines = Path(rows.value.path()).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["position"] for line in lines] == list(range(1, 120, 4))
    with page.expect_download() as picture:
        page.get_by_role("button", name="Picture").click()
    assert Path(picture.value.path()).read_bytes().startswith(b"\x89PNG")
    page.get_by_role("button", name="SQL").click()
    expect(page.locator(".wb-panel")).to_contain_text("stream_id in (:stream_id_0_0)")


def test_the_dark_page_is_dark_and_stays_so_in_its_link(page: Page, site: str) -> None:
    open_timeline(page, site)
    page.get_by_label("Light or dark").click()
    expect(page.locator(".wb")).to_have_css("background-color", "rgb(18, 21, 27)")
    page.wait_for_url(re.compile("theme=dark"))


STRICT = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'"
HOST_PAGE = """
import widget from "./widget.js";
const listeners = [];
const model = {
  get: (name) => ({ query: {}, apps: [], in_address: false })[name],
  set: () => {}, save_changes: () => {}, off: () => {},
  on: (_name, act) => listeners.push(act),
  send: async (message) => { const reply = await window.answer(message); listeners.forEach((act) => act(reply, [])); },
};
widget.render({ model, el: document.getElementById("here") });
"""


def test_the_picture_is_drawn_where_no_eval_and_no_network_is_allowed(page: Page, hostile_log: Path) -> None:
    files = {
        "": ("text/html", '<!doctype html><div id="here"></div><script type="module" src="/host.js"></script>'),
        "host.js": ("text/javascript", HOST_PAGE),
        "widget.js": ("text/javascript", load_bundle()),
    }

    def serve_file(route: Route) -> None:
        kind, body = files.get(route.request.url.removeprefix("http://127.0.0.1:1/"), ("text/plain", ""))
        route.fulfill(body=body, headers={"content-type": kind, "content-security-policy": STRICT})

    with connect(hostile_log) as session:
        widget = TimelineWidget(session)
        page.expose_function("answer", lambda message: widget.answer(msgspec.convert(message, Request))[0])
        page.route("**/*", serve_file)
        page.goto("http://127.0.0.1:1/")
        expect(page.locator(".wb-chart canvas")).to_be_visible()
        expect(page.locator(".wb-side")).to_contain_text("This window")


def test_an_empty_log_says_what_to_do(page: Page, repository: Path, tmp_path: Path) -> None:
    with connect(tmp_path / "empty"):
        pass
    process, address = start_server(tmp_path / "empty", repository)
    try:
        page.goto(f"{address}timeline/")
        expect(page.get_by_role("heading", name="This log has no event yet.")).to_be_visible()
        expect(page.get_by_text("workbench ingest FILE")).to_be_visible()
        page.close()
    finally:
        stop_server(process)


def test_a_token_opens_page_and_websocket_and_leaves_the_address(
    page: Page, hostile_log: Path, repository: Path
) -> None:
    process, address = start_server(hostile_log, repository, "open sesame")
    try:
        refused = page.goto(f"{address}timeline/")
        assert refused is not None
        assert refused.status == 401
        page.goto(f"{address}timeline/?token=open+sesame&zone=local")
        expect(page.locator(".wb-count b")).to_have_text("120")
        assert "sesame" not in page.url
        assert "zone=local" in page.url
        # A stranger has no cookie.
        assert requests.get(address, timeout=60).status_code == 401
        # A page that stays open asks a server that is gone.
        page.close()
    finally:
        stop_server(process)
