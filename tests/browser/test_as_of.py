"""As of in a real Chromium: a hand on the scrubber, two moments, all entities, what would be; and the link to each."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import start_server, stop_server
from tests.loans import HOSTILE, make_loans
from workbench.session import connect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_loans(tmp_path_factory.mktemp("loans"))


@pytest.fixture(scope="module")
def desk(loans: Path, repository: Path) -> Iterator[str]:
    """The address of the site of four loans."""
    process, address = start_server(loans, repository)
    yield address
    stop_server(process)


def open_as_of(page: Page, site: str, query: str = "?entity=loan-1") -> None:
    page.goto(f"{site}as_of/{query}")
    expect(page.locator(".wb-acts")).to_be_visible()
    expect(page.locator(".wb .busy")).to_have_count(0)


def state(page: Page) -> str:
    return page.locator(".wb-state").get_attribute("data-state") or ""


def field(page: Page, name: str) -> str:
    return page.locator(f'tr[data-field="{name}"] td').nth(1).inner_text()


def known_state(folder: Path, position: int) -> str:
    with connect(folder) as session:
        return str(session.history("loan", "loan-1", position=position)["state"][-1])


def test_the_home_page_leads_to_as_of_and_an_entity_is_chosen(page: Page, desk: str) -> None:
    page.goto(desk)
    page.get_by_role("link", name="As of", exact=True).first.click()
    expect(page.locator(".wb-choose")).to_contain_text("Choose an entity")
    page.get_by_role("button", name="loan-1", exact=True).click()
    expect(page.locator(".wb-count")).to_have_text("10 events of 15 · 66.7 % · 1 of 4 entities")


def test_steps_go_event_by_event_and_the_state_is_the_logs_own(page: Page, desk: str, loans: Path) -> None:
    open_as_of(page, desk)
    page.get_by_role("button", name="First").click()
    expect(page.locator(".wb-which")).to_have_text("Event 1 of 10")
    assert state(page) == known_state(loans, 0)
    for position in (2, 3, 4, 5, 7):
        page.keyboard.press("ArrowRight")
        page.wait_for_url(re.compile(f"position={position}&"))
        assert state(page) == known_state(loans, position)
    expect(page.locator('tr[data-field="status"]')).to_have_class(re.compile("changed"))
    expect(page.locator('tr[data-field="status"]')).to_contain_text("Δ status")
    assert field(page, "status") == "offered was requested"


def test_dragging_the_scrubber_moves_through_the_events_and_asks_nothing(page: Page, desk: str, loans: Path) -> None:
    open_as_of(page, desk)
    slider = page.get_by_role("slider", name="Event of the entity")
    expect(slider).to_have_attribute("aria-valuenow", "10")
    sent: list[str] = []
    page.on("websocket", lambda socket: sent.append(socket.url))
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 100)
    page.mouse.move(box["x"] + box["width"] * 0.44, box["y"] + 100, steps=4)
    expect(slider).to_have_attribute("aria-valuenow", "5")
    page.mouse.up()
    page.wait_for_url(re.compile("position=5&"))
    assert state(page) == known_state(loans, 5)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^event 5 of 10, 2026-03-02 13:00:00.000 UTC$"))


def test_a_link_reopens_the_same_bytes_of_state_whatever_came_since(
    page: Page, tmp_path: Path, repository: Path
) -> None:
    folder = make_loans(tmp_path)
    process, address = start_server(folder, repository)
    try:
        open_as_of(page, address, "?entity=loan-1&position=8")
        before, link = state(page), page.url
        assert before == known_state(folder, 8)
        with connect(folder) as session:
            from tests.builders import build_event

            session.append([build_event(stream_id="loan-1", event_type="LetterSent", event_id="later")])
        page.goto("about:blank")
        page.goto(link)
        expect(page.locator(".wb-state")).to_be_visible()
        assert state(page) == before
        expect(page.locator(".wb-notice").first).to_contain_text("This link was made at position 14.")
        expect(page.locator(".wb-count")).to_contain_text("10 events of 15")
        page.close()
    finally:
        stop_server(process)


def test_playing_runs_to_the_end_and_stops(page: Page, desk: str) -> None:
    open_as_of(page, desk, "?entity=loan-1&position=0&speed=16")
    page.keyboard.press("Space")
    expect(page.locator(".wb-which")).to_have_text("Event 10 of 10")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_changes_instants_and_days_are_steps_too(page: Page, desk: str) -> None:
    open_as_of(page, desk, "?entity=loan-2&position=1")
    page.get_by_role("button", name="change", exact=True).click()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".wb-which")).to_have_text("Event 2 of 2")
    page.get_by_role("button", name="day", exact=True).click()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("as_of=2026-03-03T00"))
    open_as_of(page, desk, "?entity=loan-1&position=5&step=instant")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("position=8&"))
    expect(page.locator(".wb-sentence")).to_contain_text("Second of 2 events at this instant: order is by position.")


def test_a_time_that_is_no_place_in_the_order_is_asked_for_and_marked(page: Page, desk: str) -> None:
    open_as_of(page, desk, "?entity=loan-1")
    page.get_by_label("As of (UTC)").fill("2026-03-03 15:00")
    page.keyboard.press("Enter")
    # By then the late call had happened, and the acceptance before it in the log had not.
    expect(page.locator('tr[data-field="calls"]')).to_contain_text("2")
    expect(page.locator('tr[data-field="status"]')).to_contain_text("offered")
    expect(page.locator('tr[data-field="status"]')).to_have_class(re.compile("late"))


def test_edges_say_what_they_are_and_lead_back(page: Page, desk: str) -> None:
    open_as_of(page, desk)
    page.get_by_label("As of (UTC)").fill("2026-03-01")
    page.keyboard.press("Enter")
    expect(page.locator(".wb-sentence")).to_contain_text("loan-1 has no events before 2026-03-02 08:00:00.000 UTC.")
    page.get_by_role("button", name="go there").click()
    expect(page.locator(".wb-which")).to_have_text("Event 1 of 10")
    page.get_by_label("Position", exact=True).fill("99")
    page.keyboard.press("Enter")
    expect(page.locator(".wb-notice").first).to_contain_text("Position 99 is past the head.")
    page.get_by_role("button", name="Go to the head").click()
    expect(page.locator(".wb-which")).to_have_text("Event 10 of 10")
    page.get_by_label("As of (UTC)").fill("whenever")
    page.keyboard.press("Enter")
    expect(page.locator(".wb-notice").first).to_contain_text("“whenever” is no time.")
    page.get_by_label("Find an entity").fill("loan-2b")
    page.keyboard.press("Enter")
    expect(page.locator(".wb-nomatch")).to_contain_text("No event touches loan-2b.")
    page.locator(".wb-nomatch").get_by_role("button", name="loan-2").click()
    expect(page.locator(".wb-count")).to_contain_text("2 events of 15")


def test_an_event_that_could_not_be_read_says_so_in_its_row(page: Page, desk: str) -> None:
    open_as_of(page, desk, "?entity=loan-1&position=4")
    row = page.locator(".wb-events tr.here")
    expect(row).to_contain_text("amount stays as it is: '12x' is no decimal")


def test_moves_outside_the_machine_are_listed(page: Page, desk: str) -> None:
    open_as_of(page, desk)
    page.get_by_role("button", name="! 1 transition outside the machine").click()
    expect(page.locator(".wb-panel")).to_contain_text("offered → offered")
    expect(page.locator(".wb-panel")).to_contain_text("from offered: accepted, declined")


def test_what_comes_from_an_event_stays_text(page: Page, desk: str) -> None:
    open_as_of(page, desk)
    assert field(page, "note") == HOSTILE
    expect(page.locator(".wb-events")).to_contain_text(HOSTILE)
    page.locator('tr[data-field="note"] .wb-setter').click()
    expect(page.locator(".wb-side")).to_contain_text(HOSTILE)
    open_as_of(page, desk, "?entity=loan-1&projection=document%401")
    expect(page.locator(".wb-state")).to_contain_text(HOSTILE)
    assert page.locator(".wb img, .wb script").count() == 0


def test_a_value_leads_to_the_event_that_set_it(page: Page, desk: str) -> None:
    open_as_of(page, desk)
    page.locator('tr[data-field="amount"] .wb-setter').click()
    expect(page.locator(".wb-side h2")).to_have_text("AmountChanged")
    page.wait_for_url(re.compile("event=5&"))
    page.keyboard.press("Escape")
    expect(page.locator(".wb-side")).to_be_hidden()


def test_two_moments_are_compared_as_known_then_and_now(page: Page, desk: str) -> None:
    open_as_of(page, desk, "?entity=loan-1&mode=compare&before=2026-03-02T18:00:00Z&after=2026-03-04T07:00:00Z")
    expect(page.locator(".wb-headline")).to_have_text("4 fields changed, of 7.")
    page.keyboard.press("k")
    expect(page.locator(".wb-headline")).to_have_text("3 of the 4 changed fields read differently now.")
    expect(page.locator('tr[data-field="calls"]')).to_contain_text("↶")
    expect(page.locator(".wb-lateline")).to_contain_text("1 of the 3 events came late")
    rule = page.locator(".wb-rule.after")
    box = rule.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] - 60, box["y"] + 150, steps=3)
    page.mouse.up()
    page.wait_for_url(re.compile("after=2026-03-0[23]T"))


def test_the_population_follows_the_moment_and_opens_an_entity(page: Page, desk: str) -> None:
    open_as_of(page, desk, "?mode=population&as_of=2026-03-02T13:30:00Z")
    at = page.locator(".wb-at")
    expect(at.locator("tbody tr", has_text="requested")).to_contain_text("2")
    at.get_by_role("button", name="requested").click()
    expect(page.locator(".wb-members tbody tr")).to_have_count(2)
    expect(page.locator(".wb-count")).to_have_text("2 entities of 2 that exist then · 100 %")
    page.get_by_role("button", name="Forward").click()
    page.wait_for_url(re.compile("as_of=2026-03-03T00"))
    expect(page.locator(".wb-count")).to_have_text("1 entity of 2 that exist then · 50.0 %")
    page.locator(".wb-members tbody tr").first.click()
    expect(page.locator(".wb-which")).to_have_text("Event 5 of 10")


def test_what_would_be_stands_beside_what_is_and_writes_nothing(page: Page, desk: str, loans: Path) -> None:
    open_as_of(page, desk, "?entity=loan-1&position=8")
    page.keyboard.press("r")
    expect(page.locator(".wb-preview")).to_contain_text("Preview. Nothing is written.")
    expect(page.locator(".wb-headline")).to_contain_text("ompensating events bring")
    row = page.locator('tr[data-field="status"]')
    expect(row).to_contain_text("accepted")
    expect(row).to_contain_text("✓ offered")
    expect(page.locator(".wb-proposed .wb-code")).to_contain_text('"cancels": "e14"')
    page.get_by_role("button", name="with added events").click()
    page.get_by_label("Events to add, as JSON Lines").fill('{"event_type": "LetterSent"}')
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.locator('tr[data-field="letters"]')).to_contain_text("1")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator('tr[data-field="letters"]')).to_contain_text("1")
    page.get_by_role("button", name="Discard preview").click()
    expect(page.locator(".wb-state")).to_be_visible()
    with connect(loans) as session:
        assert session.head().position == 14


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_grounds_are_readable(page: Page, desk: str, theme: str) -> None:
    open_as_of(page, desk, f"?entity=loan-1&theme={theme}")
    ground = page.locator(".wb").evaluate("node => getComputedStyle(node).backgroundColor")
    assert ground == ("rgb(18, 21, 27)" if theme == "dark" else "rgb(255, 255, 255)")


def test_rows_picture_sql_and_state_can_be_taken_along(page: Page, desk: str) -> None:
    open_as_of(page, desk, "?entity=loan-1&position=8")
    with page.expect_download() as rows:
        page.get_by_label("Rows as CSV").click()
    assert rows.value.path().read_text(encoding="utf-8").count("\n") >= 11
    with page.expect_download() as picture:
        page.get_by_role("button", name="Picture").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")
    page.get_by_role("button", name="SQL").click()
    expect(page.locator(".wb-panel .wb-code")).to_contain_text("session.history('loan@2', 'loan-1', position=14)")
    page.get_by_role("button", name="State").click()
    expect(page.locator(".wb-panel .wb-code")).to_have_text(state(page))


def test_an_empty_log_and_one_without_projections_say_so(page: Page, tmp_path: Path, repository: Path) -> None:
    connect(tmp_path).close()
    process, address = start_server(tmp_path, repository)
    try:
        page.goto(f"{address}as_of/")
        expect(page.locator(".wb-empty")).to_contain_text("This log has no event yet.")
        page.close()
    finally:
        stop_server(process)


def test_a_log_without_a_projection_shows_documents(page: Page, site: str) -> None:
    open_as_of(page, site, "?entity=account-1")
    expect(page.get_by_label("Projection")).to_have_value("document@1")
    expect(page.locator(".wb-state tbody tr")).to_have_count(3)
