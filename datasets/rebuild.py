"""Rebuild the samples: the first 1,000 events of a small loan desk in every format that ingest reads.

python datasets/rebuild.py            write them anew
python datasets/rebuild.py --check    say whether what stands here is what the seed gives; exit 1 if not
"""

import csv
import hashlib
import io
import json
import sqlite3
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import fastavro
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.sources.synthetic import generate_loan_desk

SAMPLES = Path(__file__).resolve().parent / "samples"
EVENTS, SEED = 1_000, 20_250_101
# CloudEvents attribute -> the name the table formats give it, so that a mapping has something to say.
COLUMNS = {
    "id": "no",
    "time": "happened",
    "recordedat": "booked",
    "type": "kind",
    "schemaversion": "form",
    "subject": "file",
    "actorid": "who",
    "actorkind": "role",
    "correlationid": "request",
    "causationid": "because_of",
    "data": "content",
}
TIMES = ("happened", "booked")
# CloudEvents attribute -> the log's own name, for the formats that need no mapping.
OWN = {
    "id": "event_id",
    "source": "source",
    "subject": "stream_id",
    "type": "event_type",
    "schemaversion": "schema_version",
    "time": "occurred_at",
    "recordedat": "recorded_at",
    "actorid": "actor_id",
    "actorkind": "actor_kind",
    "correlationid": "correlation_id",
    "causationid": "causation_id",
    "data": "data",
}


def build_samples() -> dict[str, bytes]:
    """Return every sample by its file name."""
    records = list(generate_loan_desk(EVENTS, seed=SEED, accidents=False))
    events = [read_record(record) for record in records]
    builders: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
        "loan-desk.jsonl": build_json_lines,
        "loan-desk.csv": build_csv,
        "loan-desk.parquet": build_parquet,
        "loan-desk.avro": build_avro,
        "loan-desk.xes": build_xes,
        "loan-desk.sqlite": build_ocel,
        "loan-desk.chats": build_chats,
    }
    samples = {name: build(events) for name, build in builders.items()}
    return {"loan-desk.ndjson": join_lines(record.decode() for record in records), **samples}


def read_record(record: bytes) -> dict[str, Any]:
    """Return a record's attributes, the payload as JSON text with its numbers as they are written."""
    payload = msgspec.json.decode(record, type=dict[str, msgspec.Raw])["data"]
    envelope: dict[str, Any] = json.loads(record)
    return envelope | {"data": bytes(payload).decode()}


def join_lines(lines: Iterable[str]) -> bytes:
    """Return lines as UTF-8, each with its end."""
    return "".join(f"{line}\n" for line in lines).encode()


def write_json(value: Any) -> str:
    """Return a value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def build_json_lines(events: list[dict[str, Any]]) -> bytes:
    """Return the events as JSON lines under the log's own names."""
    values = [{**event, "data": msgspec.Raw(event["data"].encode())} for event in events]
    rows = ({own: event[name] for name, own in OWN.items() if name in event} for event in values)
    return join_lines(msgspec.json.encode(row).decode() for row in rows)


def make_rows(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return flat rows under the names of COLUMNS, the payload as JSON text."""
    return [{column: event.get(name) for name, column in COLUMNS.items()} for event in events]


def build_csv(events: list[dict[str, Any]]) -> bytes:
    """Return the events as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(COLUMNS.values()), lineterminator="\n")
    writer.writeheader()
    writer.writerows(make_rows(events))
    return text.getvalue().encode()


def build_parquet(events: list[dict[str, Any]]) -> bytes:
    """Return the events as a Parquet file; its bytes depend on the version of pyarrow, its rows do not."""
    rows = [{**row, **{name: datetime.fromisoformat(row[name]) for name in TIMES}} for row in make_rows(events)]
    kinds = dict.fromkeys(COLUMNS.values(), pa.string()) | dict.fromkeys(TIMES, pa.timestamp("us", tz="UTC"))
    sink = io.BytesIO()
    table = pa.Table.from_pylist(rows, schema=pa.schema(kinds | {"form": pa.int32()}))
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def build_chats(events: list[dict[str, Any]]) -> bytes:
    """Return the events as agent runs: a list of messages a stream, what the AI proposes as its calls of tools."""
    chats: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        message: dict[str, Any] = {"id": event["id"], "created_at": event["time"]}
        if event["actorkind"] == "ai":
            called = {"name": event["type"], "arguments": event["data"]}
            calls = [{"id": event["id"], "type": "function", "function": called}]
            message |= {"role": "assistant", "content": None, "tool_calls": calls}
        else:
            role = "user" if event["actorkind"] == "human" else "system"
            message |= {"role": role, "name": event["actorid"], "content": f"{event['type']} {event['data']}"}
        chats.setdefault(event["subject"], []).append(message)
    runs = ({"id": name, "model": "desk-assistant", "messages": messages} for name, messages in chats.items())
    return join_lines(write_json(run) for run in runs)


def build_avro(events: list[dict[str, Any]]) -> bytes:
    """Return the events as an Avro object file under the log's own names, times as microseconds."""
    moment = {"type": "long", "logicalType": "timestamp-micros"}
    optional = {"correlation_id", "causation_id"}
    kinds: dict[str, Any] = {name: ["null", "string"] if name in optional else "string" for name in OWN.values()}
    kinds |= {"occurred_at": moment, "recorded_at": moment, "schema_version": "int"}
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    rows = []
    for event in events:
        row: dict[str, Any] = {own: event.get(name) for name, own in OWN.items()}
        row |= {name: datetime.fromisoformat(row[name]) for name in ("occurred_at", "recorded_at")}
        rows.append(row)
    sink = io.BytesIO()
    schema = {"type": "record", "name": "Event", "namespace": "loandesk", "fields": fields}
    # The marker between blocks is random by default, and a codec's bytes depend on its library: neither is wanted here.
    fastavro.writer(
        sink, schema, rows, codec="null", sync_marker=hashlib.md5(b"loan-desk", usedforsecurity=False).digest()
    )
    return sink.getvalue()


def build_xes(events: list[dict[str, Any]]) -> bytes:
    """Return the events as XES: a trace a stream, the payload's members as attributes."""
    traces: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        traces.setdefault(event["subject"], []).append(event)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">',
    ]
    for stream, members in traces.items():
        lines += ["  <trace>", f'    <string key="concept:name" value={quoteattr(stream)}/>']
        for event in members:
            lines += ["    <event>", *(f"      {line}" for line in list_attributes(event)), "    </event>"]
        lines.append("  </trace>")
    return join_lines([*lines, "</log>"])


def list_attributes(event: dict[str, Any]) -> list[str]:
    """Return an event's XES attributes, a line each."""
    named = {"concept:name": event["type"], "org:resource": event["actorid"], "identity:id": event["id"]}
    lines = [f'<date key="time:timestamp" value="{event["time"]}"/>']
    lines += [f'<string key="{key}" value={quoteattr(value)}/>' for key, value in named.items()]
    for key, value in json.loads(event["data"], parse_float=Decimal).items():
        kind = {int: "int", Decimal: "float"}.get(type(value), "string")
        text = str(value) if isinstance(value, str | Decimal) else write_json(value)
        lines.append(f"<{kind} key={quoteattr(key)} value={quoteattr(text, {chr(10): '&#10;'})}/>")
    return lines


# What the OCEL sample says of an object beside its id: column -> (type of event, member of its payload).
VALUES = {
    "Account": {"Branch": ("AccountOpened", "branch"), "Credit Limit": ("CreditLimitSet", "limit")},
    "Loan Request": {"Purpose": ("LoanRequested", "purpose"), "Decision": ("DecisionProposed", "decision")},
    "Human": {},
    "Ai": {},
    "System": {},
}
INITIAL = ("Branch", "Purpose")


def build_ocel(events: list[dict[str, Any]]) -> bytes:
    """Return the events as OCEL 2.0 in SQLite; the header names the library that wrote it, and its rows do not change.

    An account, a request and whoever acts is an object; limits and decisions change over time.
    """
    database = sqlite3.connect(":memory:")
    for kind in ("event", "object"):
        database.execute(f"create table {kind}(ocel_id text primary key, ocel_type text)")
        database.execute(f"create table {kind}_map_type(ocel_type text, ocel_type_map text)")
    database.execute("create table event_object(ocel_event_id text, ocel_object_id text, ocel_qualifier text)")
    database.execute("create table object_object(ocel_source_id text, ocel_target_id text, ocel_qualifier text)")
    add_events(database, events)
    add_objects(database, events)
    database.commit()
    return database.serialize()


def add_events(database: sqlite3.Connection, events: list[dict[str, Any]]) -> None:
    """Write the events, a table a type, the members of the payload as its columns."""
    members: dict[str, dict[str, None]] = {}
    for event in events:
        members.setdefault(event["type"], {}).update(dict.fromkeys(json.loads(event["data"])))
    for kind, names in members.items():
        database.execute("insert into event_map_type values (?, ?)", (kind, kind))
        columns = "".join(f', "{name}"' for name in names)
        database.execute(f"create table event_{kind}(ocel_id text, ocel_time text{columns})")
    for event in events:
        payload = json.loads(event["data"])
        values = [write_json(value) if isinstance(value, list) else value for value in payload.values()]
        given = "".join(f', "{name}"' for name in payload)
        database.execute("insert into event values (?, ?)", (event["id"], event["type"]))
        database.execute(
            f"insert into event_{event['type']}(ocel_id, ocel_time{given}) values (?, ?{', ?' * len(values)})",  # noqa: S608 - names of ours
            (event["id"], event["time"], *values),
        )
        for name, qualifier in ((event["subject"], "of"), (event["actorid"], "by")):
            database.execute("insert into event_object values (?, ?, ?)", (event["id"], name, qualifier))
        if "to" in payload:
            database.execute("insert into object_object values (?, ?, 'paid to')", (event["subject"], payload["to"]))


def add_objects(database: sqlite3.Connection, events: list[dict[str, Any]]) -> None:
    """Write the objects; their initial values bear the epoch, as such files do."""
    objects: dict[str, str] = {}
    for event in events:
        objects.setdefault(event["subject"], "Loan Request" if event["subject"].startswith("loan") else "Account")
        objects.setdefault(event["actorid"], event["actorkind"].capitalize())
    for kind, fields in VALUES.items():
        table = f"object_{kind.replace(' ', '')}"
        database.execute("insert into object_map_type values (?, ?)", (kind, kind.replace(" ", "")))
        columns = "".join(f', "{name}" text' for name in fields)
        database.execute(f"create table {table}(ocel_id text, ocel_time text, ocel_changed_field text{columns})")
        for name in (name for name, known in objects.items() if known == kind):
            database.execute("insert into object values (?, ?)", (name, kind))
            own = [event for event in events if event["subject"] == name]
            add_values(database, table, name, [(field, own) for field in fields])


def add_values(
    database: sqlite3.Connection, table: str, name: str, fields: list[tuple[str, list[dict[str, Any]]]]
) -> None:
    """Write an object's initial values and what they became."""
    kind = next(kind for kind in VALUES if table == f"object_{kind.replace(' ', '')}")
    told = [
        (event["time"], field, json.loads(event["data"])[VALUES[kind][field][1]])
        for field, own in fields
        for event in own
        if event["type"] == VALUES[kind][field][0]
    ]
    initial = {field: value for _, field, value in told if field in INITIAL}
    columns = "".join(f', "{field}"' for field in initial)
    database.execute(
        f"insert into {table}(ocel_id, ocel_time{columns}) values (?, '1970-01-01 00:00:00'{', ?' * len(initial)})",  # noqa: S608 - names of ours
        (name, *initial.values()),
    )
    for moment, field, value in told:
        if field not in INITIAL:
            database.execute(
                f'insert into {table}(ocel_id, ocel_time, ocel_changed_field, "{field}") values (?, ?, ?, ?)',  # noqa: S608 - names of ours
                (name, moment, field, value),
            )


def main(arguments: list[str]) -> int:
    """Write the samples, or compare them."""
    samples = build_samples()
    if "--check" in arguments:
        stale = [name for name, content in samples.items() if (SAMPLES / name).read_bytes() != content]
        print(
            "\n".join(f"{name} is not what the seed gives" for name in stale) or "Every sample is what its seed gives."
        )
        return int(bool(stale))
    for name, content in samples.items():
        (SAMPLES / name).write_bytes(content)
        print(f"{name}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
