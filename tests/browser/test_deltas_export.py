"""The export of deltas in a real Chromium: counted, looked at, stopped, written, and the same bytes from a shell."""

import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from tests.browser.conftest import start_server, stop_server
from tests.views.deltas_log import make_log

pytestmark = pytest.mark.browser

WRITE_LETTERS = "?kind=letter&export=%7B%22prompt%22%3A%22Write+%7Btopic%7D.%22%7D"
# What the line that tells of the work has ever said, and every Cancel it has shown pressed at once where wanted.
WATCHING = """
({ isStopping }) => {
  window.said = [];
  const inside = (each) => (each.shadowRoot ? [each, ...all(each.shadowRoot)] : [each]);
  const all = (root) => [...root.querySelectorAll("*")].flatMap(inside);
  const line = all(document).find((each) => each.matches(".wb-dialogfoot .wb-work"));
  new MutationObserver(() => {
    window.said.push(line.textContent);
    const cancel = line.querySelector("button");
    if (isStopping && !line.hidden && cancel) cancel.click();
  }).observe(line, { childList: true, subtree: true, characterData: true, attributes: true });
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a log of letters, prices and lines."""
    made = tmp_path_factory.mktemp("export") / "log"
    make_log(made).close()
    return made


@pytest.fixture(scope="module")
def desk(folder: Path, repository: Path) -> Iterator[str]:
    """The address of its site."""
    process, address = start_server(folder, repository)
    yield address
    stop_server(process)


def open_export(page: Page, site: str, query: str = WRITE_LETTERS) -> None:
    page.goto(f"{site}deltas/{query}")
    expect(page.get_by_role("dialog")).to_contain_text("Rows written")
    wait_for_counts(page)


def wait_for_counts(page: Page) -> None:
    expect(page.locator(".wb-dialogbody.busy")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Write "))).to_be_enabled()


def rule(page: Page, words: str) -> list[str]:
    """Return what a rule drops and leaves."""
    return page.locator(".wb-exportrules tr", has_text=words).locator("td.number").all_inner_texts()[-2:]


def save(download: Download, folder: Path) -> dict[str, bytes]:
    """Return the files of an archive by name."""
    file = folder / download.suggested_filename
    download.save_as(file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_in_shell(log: Path, *words: str, to: Path) -> dict[str, bytes]:
    """Return the files that a command writes, by name."""
    command = [sys.executable, "-m", "workbench", *words, str(to), "--log", str(log)]
    subprocess.run(command, check=True, capture_output=True)
    return {file.name: file.read_bytes() for file in to.iterdir()}


def test_a_choice_counts_anew_what_each_rule_drops(page: Page, desk: str) -> None:
    page.goto(f"{desk}deltas/?kind=letter")
    page.get_by_role("button", name="Export for training").click()
    dialog = page.get_by_role("dialog")
    # Letters have no context, so the usual prompt is empty, and the page says what another may hold.
    expect(dialog).to_contain_text("No row")
    expect(page.get_by_role("button", name="Write 0 rows")).to_be_disabled()
    assert rule(page, "Empty prompt or text") == ["−1", "0"]  # noqa: RUF001 - a minus, as on the page
    expect(dialog).to_contain_text("{topic}")
    page.get_by_label("Prompt template").fill("Write about {topic}.")
    expect(page.get_by_role("button", name="Write 2 rows")).to_be_enabled()
    page.get_by_label("KTO").check()
    expect(dialog).to_contain_text("Rows with yes")
    wait_for_counts(page)
    expect(dialog).to_contain_text("Row 1 of 7")
    expect(page.locator(".wb-exportrow .wb-code")).to_contain_text('"label": true')
    page.get_by_label("Row after").click()
    expect(page.locator(".wb-exportrow .wb-code")).to_contain_text('"label": false')
    page.wait_for_url(re.compile("export=.*kto"))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.wait_for_url(lambda address: "export" not in address)
    expect(page.get_by_role("button", name="Export for training")).to_be_focused()


def test_a_rule_shows_what_it_drops_and_the_keys_move_a_threshold(page: Page, desk: str) -> None:
    open_export(page, desk)
    page.locator(".wb-exportrules tr", has_text="Same prompt").click()
    expect(page.get_by_role("dialog")).to_contain_text("Dropped by “Same prompt, proposal and value twice”")
    wait_for_counts(page)
    expect(page.locator(".wb-sample")).to_have_count(3)
    page.get_by_role("button", name="20 more").click()
    expect(page.locator(".wb-sample")).to_have_count(23)
    least = page.get_by_role("slider", name="Distance from")
    least.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(least).to_have_attribute("aria-valuenow", "0.11")
    expect(least).to_be_focused()
    wait_for_counts(page)
    expect(page.locator(".wb-exportrules")).to_contain_text("Distance under 0.11")
    page.locator(".wb-sample .wb-link").first.click()
    expect(page.locator(".wb-onebody")).to_be_visible()


def test_what_is_downloaded_is_what_a_shell_writes_byte_for_byte(
    page: Page, desk: str, folder: Path, tmp_path: Path
) -> None:
    open_export(page, desk)
    command = page.locator(".wb-command").inner_text()
    page.evaluate(WATCHING, {"isStopping": False})
    with page.expect_download() as found:
        page.get_by_role("button", name="Write 2 rows").click()
    files = save(found.value, tmp_path)
    expect(page.get_by_role("dialog")).to_contain_text(f"Written: {found.value.suggested_filename}")
    expect(page.locator(".wb-exportrow")).to_contain_text("sha256")
    assert "2 rows of 60 of 60 proposals · 100 %" in " ".join(page.evaluate("window.said"))
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(files["manifest.json"])
    again = write_in_shell(folder, "deltas", "export", "--manifest", str(manifest), "--to", to=tmp_path / "again")
    assert again == files
    assert write_in_shell(folder, *shlex.split(command)[1:-1], to=tmp_path / "command") == files


def test_writing_is_stopped_at_once_and_nothing_is_downloaded(page: Page, desk: str) -> None:
    open_export(page, desk)
    downloads: list[Download] = []
    page.on("download", lambda found: downloads.append(found))  # noqa: PLW0108 - Playwright sets a mark on what it is given
    page.evaluate(WATCHING, {"isStopping": True})
    page.get_by_role("button", name="Write 2 rows").click()
    wait_for_counts(page)
    expect(page.locator(".wb-dialogfoot .wb-work")).to_be_hidden()
    assert "Writing the files" in " ".join(page.evaluate("window.said"))
    # The next question is answered after the stopped one has ended: by then it would have been downloaded.
    page.get_by_label("Row after").click()
    expect(page.get_by_role("dialog")).to_contain_text("Row 2 of 2")
    assert downloads == []


def test_a_plan_that_cannot_be_followed_says_why_and_leads_out(page: Page, desk: str) -> None:
    page.goto(f"{desk}deltas/?kind=letter&export=%7B%22prompt%22%3A%22%7Bweather%7D%22%7D")
    alert = page.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_contain_text("It may hold {context}")
    alert.get_by_role("button", name="Start over").click()
    expect(page.get_by_role("dialog")).to_contain_text("Rows written")


def test_the_dialog_fits_a_narrow_page(page: Page, desk: str) -> None:
    page.set_viewport_size({"width": 780, "height": 900})
    open_export(page, desk, f"{WRITE_LETTERS}&theme=dark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("button", name="Write 2 rows")).to_be_in_viewport()
