"""What a person does on the page, in marimo and in JupyterLab, for the tests of every log and engine."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from playwright.sync_api import Locator, Page, expect
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.browser.conftest import stop_server

ATTEMPTS = 12
KNOCKS = 40


def wait_for_picture(page: Page) -> Locator:
    expect(page.locator(".wb-chart canvas")).to_be_visible()
    expect(page.locator(".wb-rows tbody tr")).to_have_count(50)
    expect(page.locator(".wb .busy")).to_have_count(0)
    return page.locator(".wb-count")


def look_for(page: Page, text: str) -> None:
    page.get_by_label("Find text in any event").fill(text)
    page.keyboard.press("Enter")


def stop_and_ask_something_else(page: Page) -> None:
    count = wait_for_picture(page)
    expect(count).to_have_text("300,000 of 300,000 events · 100 %")
    look_for(page, "A4D05B18")
    # At once the old picture dims and stays.
    expect(page.locator(".wb-lanes.busy canvas")).to_be_visible()
    work = page.locator(".wb-work")
    expect(work).to_contain_text("Counting events")
    expect(work.get_by_role("progressbar")).to_be_visible()
    expect(work).to_contain_text(re.compile(r"\d\.\d s"))
    work.get_by_role("button", name="Cancel").click()
    expect(page.locator(".wb-notice").first).to_contain_text("Stopped.Shown: the answer before.")
    expect(page.locator(".wb-chip")).to_have_count(0)
    expect(page.locator(".wb .busy")).to_have_count(0)
    expect(count).to_have_text("300,000 of 300,000 events · 100 %")
    row = page.locator(".wb-facet").first.locator("li", has_text="Paid")
    row.hover()
    row.get_by_text("only").click()
    expect(count).to_have_text("100,000 of 300,000 events · 33.3 %")


@contextmanager
def open_laboratory(folder: Path, repository: Path, **variables: str) -> Iterator[str]:
    """Run JupyterLab on a copy of the notebook, as someone who has just installed it, and give its address."""
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    shutil.copy(repository / "notebooks" / "timeline.ipynb", notebooks)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", "--allow-root", f"--ServerApp.port={port}", "--IdentityProvider.token="]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={notebooks}"],
        env={**os.environ, **own, "PYTHONPATH": str(repository), **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        with requests.Session() as visitor:
            # Jupyter says where it is before it listens there, so its first visitor knocks more than once.
            visitor.mount(
                "http://", HTTPAdapter(max_retries=Retry(None, connect=KNOCKS, backoff_factor=0.2, backoff_max=2))
            )
            visitor.get(f"http://127.0.0.1:{port}/api", timeout=60).raise_for_status()
        yield f"http://127.0.0.1:{port}/lab/tree/timeline.ipynb?reset"
    finally:
        stop_server(process)


def run_all_cells(page: Page) -> None:
    """Run the notebook; while its kernel is not yet connected JupyterLab runs nothing and says nothing."""
    page.locator(".jp-Notebook .jp-Cell").first.click()
    for _ in range(ATTEMPTS):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        with suppress(AssertionError):
            expect(page.locator(".jp-InputPrompt", has_text=re.compile(r"\[[*\d]")).first).to_be_visible(timeout=5_000)
            return
    raise AssertionError(page.locator(".jp-Notebook").inner_text())
