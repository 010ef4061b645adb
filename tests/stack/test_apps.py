"""The apps on a shared log that Trino reads: the same page, the same steps, the same counts, in real Chromium."""

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from playwright.sync_api import Page, expect

from docker.packages.layout import Stack
from tests.browser.conftest import context, page, start_server, stop_server
from tests.browser.steps import look_for, open_laboratory, run_all_cells, stop_and_ask_something_else, wait_for_picture
from tests.browser.test_slow import DIGESTS, SIZE
from tests.stack.conftest import drop_namespace
from tests.stack.proxy import Proxy, load_lake
from workbench.cli.demo import place_schemas, write_records
from workbench.session import connect

__all__ = ["context", "page"]

pytestmark = pytest.mark.browser

EVENTS = 3_000
MAPPING = f"""
[log.mapping]
event_id = "id"
stream_id = "entity"
event_type = "kind"
occurred_at = "happened"
data = '''concat('["', {DIGESTS}, '"]')'''
"""


def write_settings(folder: Path, name: str, log: str, trino: str = "") -> Path:
    """Write a workbench.toml that reads the lake with Trino; return its folder."""
    text = f'catalog = "lake"\nengine = "trino"\nname = "{name}"\n{trino}\n[log]\n{log}\n'
    (folder / "workbench.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trino_way(stack: Stack) -> Iterator[Proxy]:
    """A way to Trino that can be cut."""
    with Proxy(stack.ports.trino) as way:
        yield way


@pytest.fixture(scope="module")
def desk(trino_way: Proxy, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The settings' folder of a small loan desk in the lake, lifting one type twice and mapping its proposals."""
    namespace = f"t{secrets.token_hex(5)}"
    folder = tmp_path_factory.mktemp("desk")
    place_schemas(folder)
    (folder / "deltas").mkdir()
    shutil.copy(repository / "datasets" / "deltas" / "loan-desk.toml", folder / "deltas")
    trino = f"[trino]\nhost = '127.0.0.1'\nport = {trino_way.port}"
    write_settings(folder, "loan-desk", f'namespace = "{namespace}"', trino)
    with connect(folder, engine="duckdb") as session:
        session.ingest(write_records(folder / "records.ndjson.gz", EVENTS))
    yield folder
    drop_namespace(namespace)


@pytest.fixture(scope="module")
def slow_lake(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The settings' folder of someone else's table in the lake, its payload costly to read."""
    del stack
    namespace = f"t{secrets.token_hex(5)}"
    catalog = load_lake()
    catalog.create_namespace(namespace)
    start = datetime(2026, 3, 2, tzinfo=UTC)
    rows = pa.table(
        {
            "id": [f"a{number}" for number in range(SIZE)],
            "entity": [f"order-{number % 5_000}" for number in range(SIZE)],
            "kind": [("Opened", "Paid", "Closed")[number % 3] for number in range(SIZE)],
            "happened": pa.array(
                [start + timedelta(seconds=90 * number) for number in range(SIZE)], pa.timestamp("us", "UTC")
            ),
        }
    )
    catalog.create_table(f"{namespace}.audit", rows.schema).append(rows)
    folder = tmp_path_factory.mktemp("slow-lake")
    yield write_settings(folder, "crm", f'table = "{namespace}.audit"\n{MAPPING}')
    drop_namespace(namespace)


@pytest.fixture(scope="module")
def desk_site(desk: Path, repository: Path) -> Iterator[str]:
    process, address = start_server(desk, repository)
    yield address
    stop_server(process)


def count_events(desk: Path, where: str = "") -> int:
    """Count on the other engine."""
    with connect(desk, engine="duckdb") as session:
        return int(session.sql(f"select count(*) as n from events {where}").item())


def drag_over_the_whole_log(page: Page, begin: float, end: float) -> None:
    page.locator(".wb-stripbox").scroll_into_view_if_needed()
    box = page.locator(".wb-stripbox").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * begin, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, middle, steps=3)
    page.mouse.up()


def walk_through(page: Page, desk: Path) -> None:
    """Look, brush, filter, page, inspect, and read the SQL, comparing counts with the other engine."""
    total = count_events(desk)
    count = wait_for_picture(page)
    expect(count).to_have_text(f"{total:,} of {total:,} events · 100 %")
    expect(page.locator(".wb-basis")).to_contain_text(f"position {total - 1:,}")
    expect(page.locator(".wb-basis")).to_contain_text("· Trino ·")
    row = page.locator(".wb-facet").first.locator("li", has_text="LoanRequested")
    row.hover()
    row.get_by_text("only").click()
    loans = count_events(desk, "where event_type = 'LoanRequested'")
    expect(count.locator("b")).to_have_text(f"{loans:,}")
    wait_for_picture(page)
    page.get_by_label("Page after").click()
    expect(page.locator(".wb-rows .wb-dim").first).to_contain_text("51 – 100 of")  # noqa: RUF001 - an en dash stands between two figures
    wait_for_picture(page)
    page.get_by_label("Page before").click()
    expect(page.locator(".wb-rows .wb-dim").first).to_contain_text("1 – 50")  # noqa: RUF001 - the same
    page.locator(".wb-rows tbody tr").first.click()
    side = page.locator(".wb-side")
    expect(side.get_by_role("heading", name="LoanRequested")).to_be_visible()
    # The first request of the year was written in the first of three schema versions.
    expect(side).to_contain_text("lifted from schema 1 to 3")
    expect(side).to_contain_text("as written")
    expect(side.get_by_role("heading", name=re.compile("^Stream "))).to_be_visible()
    page.get_by_role("button", name="SQL").click()
    expect(page.locator(".wb-panel")).to_contain_text("event_type in (:event_type_0_0)")
    expect(page.locator(".wb-acts")).to_contain_text("answered by Trino in")
    drag_over_the_whole_log(page, 0.25, 0.5)
    expect(page.locator(".wb-chip", has_text="window")).to_be_visible()
    expect(count.locator("b")).not_to_have_text(f"{loans:,}")
    assert 0 < int(count.locator("b").inner_text().replace(",", "")) < loans


def test_the_marimo_app_is_the_same_on_trino(page: Page, desk_site: str, desk: Path) -> None:
    page.goto(f"{desk_site}timeline/")
    walk_through(page, desk)
    page.goto(desk_site)
    expect(page.locator(".basis")).to_contain_text("· Trino ·")
    expect(page.locator("table")).to_contain_text("LoanRequested")


def test_as_of_shows_the_state_that_the_other_engine_replays(page: Page, desk_site: str, desk: Path) -> None:
    with connect(desk, engine="duckdb") as session:
        loan = session.sql("select min(stream_id) as loan from events where event_type = 'LoanRequested'").item()
        history = session.history("document", loan)
    middle = history.row(history.height // 2, named=True)
    page.goto(f"{desk_site}as_of/?projection=document%401&entity={loan}&position={middle['position']}")
    expect(page.locator(".wb-state")).to_be_visible()
    expect(page.locator(".wb .busy")).to_have_count(0)
    expect(page.locator(".wb-basis")).to_contain_text("· Trino ·")
    assert page.locator(".wb-state").get_attribute("data-state") == middle["state"]


def test_deltas_shows_what_the_other_engine_counts(page: Page, desk_site: str, desk: Path) -> None:
    with connect(desk, engine="duckdb") as session:
        letters = session.deltas(kinds="letter")
    shown, accepted = letters.height, letters.filter(decision="accepted").height
    edited = letters.filter(decision="edited").row(0, named=True)
    page.goto(f"{desk_site}deltas/?kind=letter")
    expect(page.locator(".wb-count")).to_contain_text(f"{shown:,} proposals shown")
    expect(page.locator(".wb-figure").first).to_contain_text(f"{accepted:,} of {shown:,} shown")
    expect(page.locator(".wb-basis")).to_contain_text("· Trino ·")
    page.goto(f"{desk_site}deltas/?kind=letter&delta={edited['position']}")
    expect(page.locator(".wb-text").first).to_be_visible()
    measured = page.locator(".wb-measures")
    expect(measured).to_contain_text(
        f"{edited['words_kept']}of {edited['words_kept'] + edited['words_deleted'] + edited['words_moved']} proposed"
    )


def test_the_jupyter_notebook_is_the_same_on_trino(page: Page, desk: Path, repository: Path, tmp_path: Path) -> None:
    with open_laboratory(tmp_path, repository, WORKBENCH_LOG=str(desk), WORKBENCH_ENGINE="trino") as address:
        page.goto(address)
        run_all_cells(page)
        walk_through(page, desk)


def test_what_takes_long_is_stopped_on_the_server(
    page: Page, slow_lake: Path, repository: Path, trino_as: Callable[[str], Any]
) -> None:
    process, address = start_server(slow_lake, repository)
    try:
        page.goto(f"{address}timeline/")
        stop_and_ask_something_else(page)
    finally:
        stop_server(process)
    cursor = trino_as("admin").cursor()
    cursor.execute("select state, error_code from system.runtime.queries where query like '%RPAD%STRPOS%'")
    assert ("FAILED", "USER_CANCELED") in {tuple(row) for row in cursor.fetchall()}


def test_a_server_that_is_gone_leaves_the_old_picture_and_is_asked_again(
    page: Page, desk_site: str, trino_way: Proxy
) -> None:
    page.goto(f"{desk_site}timeline/")
    wait_for_picture(page)
    trino_way.refuse()
    try:
        look_for(page, "salary")
        notice = page.get_by_role("alert")
        expect(notice).to_contain_text("cannot be reached")
        expect(notice).to_contain_text("Shown: the answer before, at position")
        expect(notice).to_contain_text(re.compile("again in [1-8] s"))
        expect(page.locator(".wb-lanes.busy canvas")).to_be_visible()
    finally:
        trino_way.serve()
    # Nobody clicks: the page asks again by itself.
    expect(notice).to_have_count(0)
    expect(page.locator(".wb-chip")).to_contain_text("salary")
    wait_for_picture(page)
