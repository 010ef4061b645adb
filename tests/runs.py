"""A run of an agent for tests: two calls of one message, a call of the next, and what was expected, in tau2's form."""

import json
from pathlib import Path
from typing import Any

RUN = "run-1"


def write_run(folder: Path, text: str = "Book 4A.", *, turns: int = 0) -> Path:
    """Return a file of one run; ``text`` is what is said, ``turns`` how many words are exchanged behind it."""
    path = folder / "runs.json"
    path.write_text(json.dumps(make_results(text, turns)), encoding="utf-8")
    return path


def make_results(text: str, turns: int = 0) -> dict[str, Any]:
    calls = [make_call("c1", "look", {"seat": "4A"}), make_call("c2", text, {"note": text})]
    messages = [
        {"role": "user", "content": text, "timestamp": at(0)},
        {"role": "assistant", "content": None, "tool_calls": calls, "timestamp": at(2)},
        {"role": "tool", "id": "c2", "content": text, "timestamp": at(5)},
        {"role": "tool", "id": "c1", "content": "free", "timestamp": at(3)},
        {"role": "assistant", "tool_calls": [make_call("c3", "book", {"seat": "4A"})], "timestamp": at(8)},
        {"role": "tool", "id": "c3", "content": "done", "timestamp": at(10)},
        *({"role": "user", "content": "Well?", "timestamp": at(11)} for _ in range(turns)),
    ]
    expected = [
        {"action_id": "a1", "name": "look", "arguments": {"seat": "4A"}},
        {"action_id": "a2", "name": "book", "arguments": {"seat": "4B"}},
        {"action_id": "a3", "name": "pay", "arguments": {}},
    ]
    run = {"id": RUN, "task_id": "t", "end_time": at(12), "reward_info": {"reward": 0.0}, "messages": messages}
    tasks = [{"id": "t", "evaluation_criteria": {"actions": expected}}]
    return {"info": {"agent_info": {"llm": "gpt-4.1"}}, "tasks": tasks, "simulations": [run]}


def make_call(call_id: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"id": call_id, "name": name, "arguments": arguments, "requestor": "assistant"}


def at(second: int) -> str:
    return f"2025-08-01T10:00:{second:02}.000001"
