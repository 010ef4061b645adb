"""A real Chromium on the real server, on a log whose every text is hostile."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect, sync_playwright

from tests.apps.conftest import hostile_log

__all__ = ["hostile_log"]

# A cold server on a busy machine takes 20 s to its first page.
PATIENCE = 90_000
expect.set_options(timeout=PATIENCE)
START = "import sys; from workbench.apps.server import serve; serve(sys.argv[1], port=0, token=sys.argv[2] or None)"


def start_server(folder: Path, repository: Path, token: str = "") -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(folder), token],
        cwd=repository,
        env=os.environ | {"TZ": "Asia/Tokyo"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    # The server listens before it says where: no waiting, no guessing.
    line = process.stdout.readline()
    return process, next(word for word in line.split() if word.startswith("http"))


def stop_server(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=120)


@pytest.fixture(scope="session")
def site(hostile_log: Path, repository: Path) -> Iterator[str]:
    """The address of the running site."""
    process, address = start_server(hostile_log, repository)
    yield address
    stop_server(process)


@pytest.fixture(scope="session")
def context(
    chromium_path: str, chromium_arguments: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A Chromium for all tests, which keeps the sites' scripts, read and compiled: a third of what a page costs."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=chromium_path,
            args=chromium_arguments,
            viewport={"width": 1440, "height": 1000},
            timezone_id="Asia/Tokyo",
        )
        yield opened
        opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A fresh page that fails its test on a dialog, a script's error or a request to anywhere else."""
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    faults: list[str] = []

    def meet(dialog: Dialog) -> None:
        faults.append(f"dialog {dialog.message}")
        dialog.dismiss()

    opened.on("dialog", meet)
    opened.on("pageerror", lambda error: faults.append(f"error {error}"))
    opened.on("request", lambda request: faults.append(request.url))
    yield opened
    opened.close()
    forget(context, faults)
    assert [fault for fault in faults if not is_own(fault)] == []


def forget(context: BrowserContext, addresses: list[str]) -> None:
    """Have a browser forget what the sites of these addresses stored in it, the scripts they sent apart."""
    context.clear_cookies()
    session = context.new_cdp_session(context.pages[0])
    for origin in {"/".join(address.split("/")[:3]) for address in addresses if address.startswith("http://")}:
        kinds = "cookies,indexeddb,local_storage,service_workers,websql"
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": kinds})
    session.detach()


def is_own(address: str) -> bool:
    """Whether an address is the site's own or carries its content with it."""
    return address.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
