"""Agent runs: every message, call and result is an event, and every expected action is held against a call."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.published import RealLogs
from workbench.errors import MappingError, SourceError
from workbench.session import Session, connect
from workbench.sources import open_source
from workbench.sources.agents import AgentRuns
from workbench.sources.guess import recognise

CALL = {"id": "c1", "type": "function", "function": {"name": "book", "arguments": '{"seat": "4A", "price": 1.50}'}}
CHAT = {
    "id": "chat-1",
    "model": "gpt-4.1",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Book 4A.", "name": "Ada"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
        {"role": "assistant", "content": "It is booked."},
    ],
}
Row = dict[str, Any]


def act(name: str, **arguments: Any) -> Row:
    return {"action_id": f"a_{name}", "requestor": "assistant", "name": name, "arguments": arguments}


def call(call_id: str, name: str, **arguments: Any) -> Row:
    return {"id": call_id, "name": name, "arguments": arguments, "requestor": "assistant"}


def simulate(*messages: Row, expected: tuple[Row, ...] = (), **other: Any) -> Row:
    """Return results of tau2 with one run, a message a second."""
    timed = [{"timestamp": f"2025-08-01T10:00:{at:02}", **each} for at, each in enumerate(messages)]
    run = {"id": "r1", "task_id": "t1", "end_time": "2025-08-01T10:01:00", "reward_info": {"reward": 1.0}}
    return {
        "info": {"agent_info": {"llm": "gpt-4.1"}, "environment_info": {"domain_name": "airline"}},
        "tasks": [{"id": "t1", "evaluation_criteria": {"actions": list(expected)}}],
        "simulations": [{**run, **other, "messages": timed}],
    }


def read(folder: Path, content: Any) -> list[Row]:
    path = folder / "runs.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    source = open_source(path, format="agents")
    rows = [row for chunk in source.chunks() for row in chunk.rows.to_pylist()]  # type: ignore[union-attr] # mapped
    return [row | {name: json.loads(row[name] or "null") for name in ("data", "metadata")} for row in rows]


def test_each_message_call_and_result_is_an_event_with_what_it_follows_from(tmp_path: Path) -> None:
    rows = read(tmp_path, CHAT)
    assert [(row["event_id"], row["event_type"], row["causation_id"]) for row in rows] == [
        ("chat-1/0", "MessageSent", None),
        ("chat-1/1", "MessageSent", "chat-1/0"),
        ("chat-1/2", "MessageSent", "chat-1/1"),
        ("chat-1/2/0", "ToolCalled", "chat-1/2"),
        ("chat-1/3", "ToolReturned", "chat-1/2/0"),
        ("chat-1/4", "MessageSent", "chat-1/3"),
    ]
    assert {(row["stream_id"], row["correlation_id"]) for row in rows} == {("chat-1", "chat-1")}
    assert [(row["actor_id"], row["actor_kind"]) for row in rows] == [
        ("system", "system"),
        ("Ada", "human"),
        ("gpt-4.1", "ai"),
        ("gpt-4.1", "ai"),
        ("tool", "system"),
        ("gpt-4.1", "ai"),
    ]


def test_arguments_in_a_text_are_the_value_with_numbers_as_written(tmp_path: Path) -> None:
    rows = read(tmp_path, CHAT)
    assert rows[3]["data"] == {
        "id": "c1",
        "name": "book",
        "arguments": {"seat": "4A", "price": 1.5},
        "model": "gpt-4.1",
    }
    (chunk,) = AgentRuns(tmp_path / "runs.json").chunks()
    assert '"price":1.50' in chunk.rows["data"][3].as_py()
    assert rows[2]["data"] == {"role": "assistant", "tool_calls": ["c1"]}
    assert rows[4]["data"]["name"] == "book"


@pytest.mark.parametrize(
    ("arguments", "expected"), [("not {json", "not {json"), ("", ""), ("[1]", [1]), (None, None), ({"a": 1}, {"a": 1})]
)
def test_arguments_of_any_kind_are_kept(tmp_path: Path, arguments: Any, expected: Any) -> None:
    made = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    rows = read(tmp_path, {"id": "x", "messages": [{"role": "assistant", "tool_calls": [made]}]})
    assert rows[1]["data"].get("arguments") == expected


def test_older_and_custom_forms_of_a_call_are_calls(tmp_path: Path) -> None:
    messages = [
        {"role": "assistant", "function_call": {"name": "old", "arguments": "{}"}},
        {"role": "function", "name": "old", "content": "1"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "new", "input": "x"}}]},
    ]
    rows = read(tmp_path, {"id": "x", "messages": messages})
    assert [(row["event_type"], row["data"].get("name")) for row in rows if row["event_type"] != "MessageSent"] == [
        ("ToolCalled", "old"),
        ("ToolReturned", "old"),
        ("ToolCalled", "new"),
    ]
    assert rows[2]["causation_id"] == rows[1]["event_id"]
    assert rows[4]["data"]["arguments"] == "x"


def test_a_result_of_an_unknown_call_follows_the_message_before_it(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "?"}, {"role": "tool", "tool_call_id": "none", "content": "1"}]
    rows = read(tmp_path, {"id": "x", "messages": messages})
    assert (rows[1]["causation_id"], "name" in rows[1]["data"]) == ("x/0", False)


def test_a_time_without_a_zone_is_utc_and_says_that_its_zone_is_unknown(tmp_path: Path) -> None:
    rows = read(
        tmp_path, simulate({"role": "user", "content": "a"}, {"role": "user", "timestamp": "2025-08-01T12:00+02:00"})
    )
    assert [(row["occurred_at"], row["metadata"]) for row in rows] == [
        ("2025-08-01T10:00:00Z", {"zone": "unknown"}),
        ("2025-08-01T12:00+02:00", None),
        ("2025-08-01T10:01:00Z", {"zone": "unknown"}),
    ]


def test_a_message_without_a_time_has_that_of_the_one_before_it_and_says_so(tmp_path: Path) -> None:
    messages = [{"role": "user"}, {"role": "user", "created": 1754065343.5}, {"role": "user"}]
    untimed = read(tmp_path, {"id": "x", "messages": messages})
    assert [(row["occurred_at"], row["metadata"]) for row in untimed] == [
        ("1970-01-01T00:00:00Z", {"time": "unknown"}),
        ("2025-08-01T16:22:23.500000Z", None),
        ("2025-08-01T16:22:23.500000Z", {"time": "unknown"}),
    ]
    timed = read(tmp_path, {"id": "x", "created_at": "2026-01-01T00:00:00Z", "messages": messages[:1], "tools": []})
    assert timed[0]["occurred_at"] == "2026-01-01T00:00:00Z"
    assert timed[0]["metadata"] == {
        "run": {"created_at": "2026-01-01T00:00:00Z", "tools": []},
        "time": "unknown",
    }


def test_the_runs_of_one_file_of_results_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    content = simulate({"role": "user", "content": "late"})
    early = simulate({"role": "user", "content": "early", "timestamp": "2025-08-01T09:59:59.9"})["simulations"][0]
    never = simulate({"role": "user", "content": "never", "timestamp": "soon"})["simulations"][0]
    content["simulations"] += [early | {"id": "r2", "end_time": None}, never | {"id": "r3", "end_time": None}]
    rows = read(tmp_path, content)
    assert [row["event_id"] for row in rows[:2]] == ["r2/0", "r2/evaluation"]
    assert [row["event_id"] for row in rows[2:4]] == ["r1/0", "r1/evaluation"]
    assert [row["offset"] for row in rows] == [0, 1, 2, 3, 4, 5]


def test_an_expected_action_is_held_against_the_nearest_call_of_the_agent(tmp_path: Path) -> None:
    calls = [call("c1", "book", seat="1A", price=1), call("c2", "book", seat="4A", price=1), call("c3", "look")]
    rows = read(
        tmp_path,
        simulate(
            {"role": "assistant", "tool_calls": calls},
            {"role": "user", "tool_calls": [call("c4", "restart")]},
            expected=(
                act("book", seat="4A", price=1.0),
                act("book", seat="4A", price=2),
                act("look"),
                act("restart"),
            ),
        ),
    )
    judged = [(row["event_type"], row["causation_id"]) for row in rows if "expected" in row["event_id"]]
    assert judged == [
        ("ActionMatched", "r1/0/1"),
        ("ActionMatched", "r1/0/2"),
        ("ActionDiffered", "r1/0/1"),
        ("ActionMissed", None),
    ]
    assert rows[-1]["event_type"] == "RunEvaluated"
    assert rows[-1]["data"]["reward"] == 1
    assert rows[0]["data"].get("model") is None
    assert rows[1]["data"] | {"model": "gpt-4.1", "domain": "airline", "task": "t1"} == rows[1]["data"]


def test_arguments_that_are_no_objects_have_nothing_in_common(tmp_path: Path) -> None:
    made = {"id": "c1", "name": "say", "arguments": "a"}
    content = simulate({"role": "assistant", "tool_calls": [made]}, expected=(act("say", text="b"),))
    assert [row["event_type"] for row in read(tmp_path, content)[2:]] == ["ActionDiffered", "RunEvaluated"]


def test_a_run_without_a_reward_is_ended_and_not_evaluated(tmp_path: Path) -> None:
    (_, row) = read(tmp_path, simulate({"role": "user", "content": "a"}, reward_info=None))
    assert (row["event_type"], row["data"]["definition"]["id"]) == ("RunEnded", "t1")


def test_a_run_a_line_is_read_line_by_line_and_a_broken_line_waits_in_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    plain = {"messages": CHAT["messages"]}
    path.write_text(f'{json.dumps(plain)}\n{json.dumps(plain)}\n{{"messages": [\n{{"other": 1}}\n', encoding="utf-8")
    session = connect(tmp_path / "log")
    report = session.ingest(path)
    assert (report.appended, report.quarantined) == (12, 2)
    streams = session.sql("select distinct stream_id from events order by 1")["stream_id"].to_list()
    assert streams == ["runs.jsonl:1", "runs.jsonl:2"]
    again = session.ingest(path)
    assert (again.appended, again.duplicates) == (0, 12)
    session.close()


def test_a_first_line_longer_than_what_is_looked_at_is_a_line_all_the_same(tmp_path: Path) -> None:
    long = {"messages": [{"role": "user", "content": "x" * 100_000}]}
    rows = read(tmp_path, f"{json.dumps(long)}\n{json.dumps(long)}")
    assert [row["line"] for row in rows] == [1, 2]


@pytest.mark.parametrize("content", [CHAT["messages"], [CHAT, CHAT], [CHAT | {"id": 7}], [{"messages": []}, CHAT]])
def test_lists_of_messages_and_of_runs_are_documents(tmp_path: Path, content: Any) -> None:
    assert read(tmp_path, json.dumps(content, indent=1))[-1]["event_type"] == "MessageSent"


def test_what_is_no_run_no_message_and_no_call_is_said_to_be_none(tmp_path: Path) -> None:
    rows = read(tmp_path, [CHAT | {"messages": ["text", {"content": "x"}, {"role": "user", "tool_calls": 7}]}, 5])
    assert [(row["fault"] or "").partition(":")[0] for row in rows] == [
        "it is no message",
        "it is no message",
        "",
        "it is no call of a tool",
        "it is no run",
    ]
    content = simulate()
    content["simulations"].append({"id": 1, "messages": []})
    assert [row["fault"] is None for row in read(tmp_path, content)] == [True, False]


@pytest.mark.parametrize("content", ["{", "7", '{"messages": 1}', "[]", '[{"a": 1}]'])
def test_a_file_without_runs_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(SourceError, match=r"holds no agent runs|is not whole"):
        read(tmp_path, content)


def test_a_time_beyond_the_calendar_is_quarantined_as_it_is(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"id": "x", "messages": [{"role": "user", "created": 1e30}]})
    assert row["occurred_at"] == "1e+30"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (json.dumps(CHAT), "agents"),
        (json.dumps(CHAT, indent=2), "agents"),
        (json.dumps([CHAT]), "agents"),
        (json.dumps(CHAT["messages"]), "agents"),
        (json.dumps(simulate()), "agents"),
        (json.dumps({"specversion": "1.0", "data": CHAT}), "cloudevents"),
        (json.dumps({"event_type": "t", "data": CHAT}), "jsonlines"),
        (json.dumps({"data": {"messages": [{"role": "user"}]}, "event_type": "t"}), "jsonlines"),
    ],
)
def test_runs_are_told_from_events_that_carry_messages(text: str, kind: str) -> None:
    assert recognise(text.encode()) == kind


def test_a_mapping_makes_lines_of_messages_what_it_says(tmp_path: Path) -> None:
    path, mapping = tmp_path / "runs.jsonl", tmp_path / "m.toml"
    path.write_text(json.dumps(CHAT) + "\n", encoding="utf-8")
    mapping.write_text('[columns]\nstream_id = "id"\nevent_type = "model"\noccurred_at = "id"\n', encoding="utf-8")
    assert open_source(path, mapping=mapping).format == "jsonlines"
    with pytest.raises(MappingError, match="Leave it out"):
        open_source(path, mapping=mapping, format="agents")


@pytest.fixture(scope="module")
def runs(real_logs: RealLogs) -> Iterator[Session]:
    """The eight files of tau2 in one log, in the order of their times."""
    folder, reports = real_logs.take("runs")
    assert [report["quarantined"] for report in reports] == [0] * 8
    with connect(folder) as session:
        yield session


@pytest.mark.data
def test_the_published_counts_of_runs_messages_and_calls_come_out_of_the_log(runs: Session) -> None:
    kinds = dict(runs.sql("select event_type, count(*) as n from events group by 1").rows())
    assert kinds["MessageSent"] + kinds["ToolReturned"] == 10_966
    assert (kinds["ToolCalled"], kinds["ToolReturned"], kinds["RunEvaluated"]) == (3_866, 3_866, 280)
    assert (kinds["ActionMatched"], kinds["ActionDiffered"], kinds["ActionMissed"]) == (713, 78, 351)
    assert sum(kinds.values()) == 10_966 + 3_866 + 280 + 1_142


@pytest.mark.data
def test_the_published_rewards_come_out_of_the_log(runs: Session) -> None:
    evaluated = "select source, try_cast(json_extract_scalar(data, '$.reward') as double) as reward from events"
    rows = runs.sql(f"{evaluated} where event_type = 'RunEvaluated'").rows()
    whole = Counter(source for source, reward in rows if reward == 1)
    assert {
        name.removesuffix(".json.gz"): (whole[name], n) for name, n in Counter(name for name, _ in rows).items()
    } == {
        "gpt-4.1_airline": (10, 20),
        "gpt-4.1-sft_airline": (13, 20),
        "gpt-4.1_retail": (34, 40),
        "gpt-4.1-sft_retail": (34, 40),
        "gpt-4.1_telecom": (18, 40),
        "gpt-4.1-sft_telecom": (30, 40),
        "gpt-4.1_telecom_no-user": (20, 40),
        "gpt-4.1-sft_telecom_no-user": (34, 40),
    }


@pytest.mark.data
def test_position_follows_time_and_every_result_its_call(runs: Session) -> None:
    events = runs.sql("select position, event_id, event_type, occurred_at, causation_id from events order by position")
    assert events["occurred_at"].is_sorted()
    kinds = dict(events.select("event_id", "event_type").rows())
    positions = dict(events.select("event_id", "position").rows())
    caused = events.filter(events["causation_id"].is_not_null())
    assert all(positions[row["causation_id"]] < row["position"] for row in caused.iter_rows(named=True))
    results = caused.filter(caused["event_type"] == "ToolReturned")
    assert {kinds[cause] for cause in results["causation_id"]} == {"ToolCalled"}


@pytest.mark.data
def test_the_booking_stands_33_events_into_its_run(runs: Session) -> None:
    asked = (
        "select stream_version from events where json_extract_scalar(data, '$.id') = 'call_Kiy3nykTR9akwZOi1AQgIgch'"
    )
    assert runs.sql(f"{asked} and event_type = 'ToolCalled'")["stream_version"].to_list() == [33]
