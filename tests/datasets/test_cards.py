"""Every dataset is what its card says, and what its seed gives."""

import csv
import hashlib
import io
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import fastavro
import pyarrow.parquet as pq
import pytest
from lxml import etree

from workbench.sources.synthetic import generate_loan_desk

ROOT = Path(__file__).resolve().parents[2]
CARDS = (ROOT / "datasets" / "README.md").read_text(encoding="utf-8")
SAMPLES = ROOT / "datasets" / "samples"
ROW = re.compile(r"^\| `(loan-desk\.\w+)` \|.*\| ([\d,]+) \| `([0-9a-f]{64})` \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def rebuilt() -> Iterator[dict[str, bytes]]:
    sys.path.insert(0, str(ROOT / "datasets"))
    from rebuild import build_samples  # type: ignore[import-not-found]  # a script beside the data, found by the path above

    yield build_samples()
    sys.path.remove(str(ROOT / "datasets"))


def test_the_demo_log_is_what_its_card_says() -> None:
    digest, count, size = hashlib.sha256(), 0, 0
    for count, record in enumerate(generate_loan_desk(), 1):  # noqa: B007 — the last count is the claim
        line = record + b"\n"
        digest.update(line)
        size += len(line)
    assert f"| records | {count:,}: 200,000 events" in CARDS
    assert f"| bytes | {size:,} |" in CARDS
    assert f"| sha256 | `{digest.hexdigest()}`" in CARDS


def test_every_sample_has_a_card() -> None:
    data = {file.name for file in SAMPLES.iterdir() if file.suffix != ".toml"}
    assert {name for name, _, _ in ROW.findall(CARDS)} == data


@pytest.mark.parametrize(("name", "size", "digest"), ROW.findall(CARDS))
def test_a_sample_is_what_its_card_says(name: str, size: str, digest: str) -> None:
    content = (SAMPLES / name).read_bytes()
    assert (f"{len(content):,}", hashlib.sha256(content).hexdigest()) == (size, digest)


@pytest.mark.parametrize(
    "name",
    ["loan-desk.ndjson", "loan-desk.jsonl", "loan-desk.csv", "loan-desk.avro", "loan-desk.xes", "loan-desk.chats"],
)
def test_a_sample_comes_from_its_seed_byte_by_byte(name: str, rebuilt: dict[str, bytes]) -> None:
    assert rebuilt[name] == (SAMPLES / name).read_bytes()


def test_the_parquet_sample_comes_from_its_seed_row_by_row(rebuilt: dict[str, bytes]) -> None:
    assert pq.read_table(io.BytesIO(rebuilt["loan-desk.parquet"])).equals(pq.read_table(SAMPLES / "loan-desk.parquet"))


def test_the_sqlite_sample_comes_from_its_seed_row_by_row(rebuilt: dict[str, bytes]) -> None:
    dumps = []
    for content in (rebuilt["loan-desk.sqlite"], (SAMPLES / "loan-desk.sqlite").read_bytes()):
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(content)
            dumps.append(list(database.iterdump()))
    assert dumps[0] == dumps[1]


def test_every_sample_holds_the_same_thousand_ids_in_its_own_words() -> None:
    lines = (SAMPLES / "loan-desk.ndjson").read_text(encoding="utf-8").splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    plain = [
        json.loads(line)["event_id"] for line in (SAMPLES / "loan-desk.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    table = [row["no"] for row in csv.DictReader(io.StringIO((SAMPLES / "loan-desk.csv").read_text(encoding="utf-8")))]
    columns = pq.read_table(SAMPLES / "loan-desk.parquet").column("no").to_pylist()
    with (SAMPLES / "loan-desk.avro").open("rb") as file:
        avro = [row["event_id"] for row in fastavro.reader(file) if isinstance(row, dict)]
    attributes = etree.parse(SAMPLES / "loan-desk.xes").findall(".//{*}event/{*}string[@key='identity:id']")
    chats = map(json.loads, (SAMPLES / "loan-desk.chats").read_text(encoding="utf-8").splitlines())
    assert sorted(message["id"] for chat in chats for message in chat["messages"]) == sorted(ids)
    with closing(sqlite3.connect(SAMPLES / "loan-desk.sqlite")) as database:
        assert [name for (name,) in database.execute("select ocel_id from event order by rowid")] == ids
    assert len(set(ids)) == 1_000
    assert ids == plain == table == columns == avro
    assert sorted(ids) == sorted(attribute.get("value") for attribute in attributes)
