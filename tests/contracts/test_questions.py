"""One log, two engines, the same answers: every question the package can ask, frames and dtypes alike."""

import json
import secrets
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.contracts.questions import QUESTIONS, Facts, read_facts
from tests.stack.conftest import drop_namespace, stack  # noqa: F401 - the stack's own fixture
from workbench.config import Settings, load_settings
from workbench.session import Session, open_session
from workbench.views.deltas.reason import add_reason

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stack")]

# Questions that the two engines are known to answer differently, each with the reason.
GAPS: dict[str, str] = {}


class Both(NamedTuple):
    """One log of the lake, opened with each engine."""

    duckdb: Session
    trino: Session
    facts: Facts


def open_both(
    fill: Callable[[Session], Any], schemas: Path | None = None, deltas: Path | None = None
) -> Iterator[Both]:
    """Yield a new log of the lake that ``fill`` wrote, on both engines; it is dropped afterwards."""
    namespace = f"q{secrets.token_hex(5)}"
    declared = {} if deltas is None else read_file(deltas)

    def settings(engine: str) -> Settings:
        found = load_settings("lake", engine=engine)
        log = msgspec.structs.replace(found.log, namespace=namespace)
        return msgspec.structs.replace(found, log=log, schemas=schemas, deltas=declared)

    try:
        with open_session(settings("duckdb")) as one, open_session(settings("trino")) as other:
            fill(one)
            yield Both(one, other, read_facts(one))
    finally:
        drop_namespace(namespace)


def read_file(file: Path) -> dict[str, Any]:
    """The mappings that a file declares, as settings hold them."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    declared: dict[str, Any] = table.get("deltas", {file.stem: table})
    return declared


SAMPLE = "datasets/samples/loan-desk.jsonl"


def fill_desk(session: Session, repository: Path, folder: Path) -> None:
    """The loan desk's sample, then lines of it again among broken ones, some in no UTF-8; two reasons added."""
    session.ingest(repository / SAMPLE, source="desk")
    lines = (repository / SAMPLE).read_bytes().splitlines()[:40]
    broken = folder / "broken.jsonl"
    odd = json.dumps({"event_id": "x", "data": "é😀"}, ensure_ascii=False).encode()
    broken.write_bytes(
        b"\n".join([*lines, b"{nope", b'{"a": "\xff\xfe\xc3("}', odd, b'{"a":1,"a":2}', b"\xed\xa0\x80", b""])
    )
    assert session.ingest(broken, source="desk").quarantined >= 5
    for position in session.sql("select position from proposals order by position limit 2")["position"]:
        add_reason(session, position, "said too late", "clerk-24")


@pytest.fixture(scope="module")
def desk(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("desk")
    deltas = repository / "datasets" / "deltas" / "loan-desk.toml"
    yield from open_both(lambda session: fill_desk(session, repository, folder), find_schemas(repository), deltas)


def find_schemas(repository: Path) -> Path:
    """The loan desk's event types, whose requests are lifted from their first version to their third."""
    return repository / "workbench" / "sources" / "loan_desk"


@pytest.fixture(scope="module")
def bank(shared_data: Path) -> Iterator[Both]:
    yield from open_both(lambda session: session.ingest(shared_data / "bpic2012" / "bpic2012.xes.gz"))


@pytest.fixture(scope="module")
def writers(shared_data: Path, repository: Path) -> Iterator[Both]:
    path = shared_data / "coauthor-argumentative" / "events.parquet"
    mapping = repository / "datasets" / "mappings" / "coauthor.toml"
    deltas = repository / "datasets" / "deltas" / "coauthor.toml"
    yield from open_both(lambda session: session.ingest(path, mapping=mapping), deltas=deltas)


def answers_agree(both: Both, name: str) -> None:
    """Ask both and compare: rows, their order, names and dtypes."""
    ask = QUESTIONS[name]
    expected, found = ask(both.duckdb, both.facts), ask(both.trino, both.facts)
    assert_frame_equal(found, expected, check_exact=True)


def marked(name: str) -> Any:
    reason = GAPS.get(name)
    return pytest.param(name, marks=pytest.mark.xfail(reason=reason) if reason else ())


NAMES = [marked(name) for name in QUESTIONS]
# Asked of the desk and the bank alone: the writers' million events, folded four times, would take minutes on Trino.
LONG = {"replay: partings"}


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_answer_alike_about_the_loan_desk(desk: Both, name: str) -> None:
    answers_agree(desk, name)


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
def test_both_engines_answer_alike_about_the_bank(bank: Both, name: str) -> None:
    answers_agree(bank, name)


@pytest.mark.data
@pytest.mark.parametrize("name", [marked(name) for name in QUESTIONS if name not in LONG])
def test_both_engines_answer_alike_about_the_writers(writers: Both, name: str) -> None:
    answers_agree(writers, name)


def test_old_requests_are_lifted_alike(desk: Both) -> None:
    text = "select position, schema_version, data from events where event_type = 'LoanRequested' order by position"
    lifted, stored = desk.trino.sql(text), desk.trino.sql(text.replace("from events", "from events_stored"))
    assert set(stored["schema_version"]) > set(lifted["schema_version"]) == {3}
    assert_frame_equal(lifted, desk.duckdb.sql(text))


def test_no_answer_was_empty_for_want_of_a_question(desk: Both) -> None:
    assert isinstance(desk.facts.position, int)
    assert desk.duckdb.quarantine().height >= 5
    assert isinstance(desk.trino.sql("select count(*) as n from quarantine"), pl.DataFrame)
