"""Take the pictures in docs/ from the demo log, served as it is, in Chromium: `make screens`."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

FOLDER = Path(__file__).resolve().parent
PORT = 2731
ADDRESS = f"http://127.0.0.1:{PORT}"
# The days around the bad prompt, with one event open: what the demo log has to show.
CHOICES = "since=2025-09-12T00:00:00Z&until=2025-09-23T00:00:00Z&event=136590&row=136587"
# A loan whose price a person rejected, and rejected again, before another edited it: what it was in between.
MOMENT = "projection=loan%401&entity=loan-07628"
STEPS_BACK = 4
# The letters: one prompt's stand out, week by week and in what people do to them.
LETTERS = "kind=letter"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
PATIENCE = 120


@contextmanager
def serve_demo(folder: Path) -> Iterator[None]:
    """Make the demo log in a folder and serve it while the block runs."""
    command = [sys.executable, "-m", "workbench", "demo", str(folder), "--serve", "--no-open", "--port", str(PORT)]
    server = subprocess.Popen(command)
    try:
        wait_until_ready(server)
        yield
    finally:
        server.terminate()
        server.wait()


def wait_until_ready(server: "subprocess.Popen[bytes]") -> None:
    """Return once the server answers."""
    for _ in range(PATIENCE):
        if server.poll() is not None:
            sys.exit("make screens: the demo could not be served; its own words stand above.")
        try:
            urllib.request.urlopen(f"{ADDRESS}/healthz", timeout=2).close()
        except OSError:
            time.sleep(1)
        else:
            return
    sys.exit(f"make screens: the demo did not answer within {PATIENCE} seconds.")


def take_timeline(page: Page, name: str, path: str) -> None:
    """Save what stands at a path once the picture, its rows and the open event are there and nothing is dimmed."""
    page.goto(f"{ADDRESS}{path}")
    for part in (".wb-chart canvas", ".wb-rows tbody tr >> nth=0", ".wb-stream svg"):
        page.locator(part).wait_for(timeout=PATIENCE * 1_000)
    expect(page.locator(".wb .busy")).to_have_count(0, timeout=PATIENCE * 1_000)
    # Comes after the rows: how long after the event before it in its stream each occurred.
    expect(page.locator(".wb-rows tbody td:last-child").first).not_to_be_empty(timeout=PATIENCE * 1_000)
    page.wait_for_timeout(1_000)
    expect(page.locator(".wb-work")).to_be_hidden(timeout=PATIENCE * 1_000)
    save_picture(page, name)


def take_moment(page: Page, name: str, path: str) -> None:
    """Save one entity at a moment once its state is there."""
    page.goto(f"{ADDRESS}{path}")
    for part in (".wb-state tbody tr >> nth=0", ".wb-scrub svg", ".wb-events tbody tr >> nth=0"):
        page.locator(part).wait_for(timeout=PATIENCE * 1_000)
    expect(page.locator(".wb .busy")).to_have_count(0, timeout=PATIENCE * 1_000)
    for _ in range(STEPS_BACK):
        page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(500)
    save_picture(page, name)


def take_deltas(page: Page, name: str, path: str) -> None:
    """Save the overview of deltas once its pictures, its list and its menus are there."""
    page.goto(f"{ADDRESS}{path}")
    for part in (
        ".wb-split canvas",
        ".wb-changes canvas",
        ".wb-list tbody tr >> nth=0",
        ".wb-watch",
        ".wb-menu >> nth=3",
    ):
        page.locator(part).wait_for(timeout=PATIENCE * 1_000)
    expect(page.locator(".wb .busy")).to_have_count(0, timeout=PATIENCE * 1_000)
    page.wait_for_timeout(1_000)
    expect(page.locator(".wb-work")).to_be_hidden(timeout=PATIENCE * 1_000)
    save_picture(page, name)


def save_picture(page: Page, name: str) -> None:
    """Save the page as it stands."""
    page.screenshot(path=FOLDER / f"{name}.png")
    print(f"docs/{name}.png")


def main() -> None:
    """Take every picture, light and dark."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("make screens: no Chromium is installed (Debian: apt install chromium).")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as toolkit:
        folder = Path(os.environ.get("LOG", f"{scratch}/loan-desk"))
        with serve_demo(folder):
            browser = toolkit.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            for theme in ("light", "dark"):
                page = browser.new_page(viewport={"width": 1440, "height": 980}, color_scheme=theme)
                take_timeline(page, f"timeline-{theme}", f"/timeline/?{CHOICES}&theme={theme}")
                take_moment(page, f"as-of-{theme}", f"/as_of/?{MOMENT}&theme={theme}")
                take_deltas(page, f"deltas-{theme}", f"/deltas/?{LETTERS}&theme={theme}")
                page.close()
            browser.close()


if __name__ == "__main__":
    main()
