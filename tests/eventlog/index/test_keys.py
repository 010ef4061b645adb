"""Keys and salts that are read from stored events are those they were written with."""

import pyarrow as pa
import pytest

from workbench.decode.digests import event_key
from workbench.eventlog.index import keys
from workbench.eventlog.index.keys import add_keys

SALT = "00112233445566778899aabbccddeeff"
OTHER = "ffeeddccbbaa99887766554433221100"
USUAL = f'{{"salt":"{SALT}","ingested_from":{{"file":"a"}}}}'


def make_rows(metadata: list[str | None], sources: list[str]) -> pa.Table:
    names = ["source", "event_id", "metadata"]
    event_ids = [f"e{'x' * number}" for number in range(len(metadata))]
    columns = [pa.array(values, pa.large_string()) for values in (sources, event_ids, metadata)]
    return pa.Table.from_arrays(columns, names)


def read_salts(rows: pa.Table) -> list[str]:
    return [salt.hex() for salt in add_keys(rows).column("salt").to_pylist()]


@pytest.mark.parametrize(
    ("metadata", "salt"),
    [
        (USUAL, SALT),
        (f'{{"salt":"{SALT}"}}', SALT),
        (f'{{"note":"x","salt":"{OTHER}"}}', OTHER),
        (None, "00" * 16),
        ("{}", "00" * 16),
        (f'{{"salt":"{SALT.upper()}"}}', "00" * 16),
        (f'{{"salt":"{SALT[:-1]}g"}}', "00" * 16),
        (f'{{"salt":"{SALT}0"}}', "00" * 16),
        (f'{{"salT":"{SALT}"}}', "00" * 16),
    ],
)
def test_a_salt_is_found_wherever_it_stands(metadata: str | None, salt: str) -> None:
    assert read_salts(make_rows([metadata], ["s"])) == [salt]
    assert read_salts(make_rows([USUAL, metadata, USUAL], ["s", "s", "s"])) == [SALT, salt, SALT]


@pytest.mark.parametrize("sources", [["s", "s", "s"], ["s", "t", "ü"]])
def test_a_key_is_that_of_source_and_id(sources: list[str]) -> None:
    rows = add_keys(make_rows([USUAL] * 3, sources))
    found = zip(rows.column("source").to_pylist(), rows.column("event_id").to_pylist(), strict=True)
    assert rows.column("key").to_pylist() == [event_key(source, event_id) for source, event_id in found]


def test_rows_are_worked_on_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_rows([USUAL, None, USUAL, USUAL, USUAL], ["s", "s", "t", "t", "t"])
    whole = add_keys(rows)
    monkeypatch.setattr(keys, "BATCH", 2)
    assert add_keys(rows).to_pylist() == whole.to_pylist()
    assert add_keys(rows.slice(0, 0)).num_rows == 0
