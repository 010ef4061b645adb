"""What an agent run is, and the shapes of file that runs are told from: tau2 results, and lists of messages."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

import msgspec

_IDS: Final = ("id", "run_id", "conversation_id", "thread_id")
_TIMES: Final = ("timestamp", "created_at", "created")
# What of a tau2 simulation is told by its events, not by its evaluation.
_TOLD: Final = frozenset({"id", "messages"})


class Written(float):
    """A number that is written again as it was."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Return the number of a JSON text."""
        number = super().__new__(cls, text)
        number.text = text
        return number


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation of an agent: its messages in order, what is known of it, and how it was judged.

    ``about`` goes into every call (model, domain, task), ``rest`` is what else its record holds. ``evaluation`` and
    ``expected``, the actions that were expected, are None and empty where there are none.
    """

    id: str
    messages: list[Any]
    time: Any = None
    about: Mapping[str, Any] = {}
    rest: Mapping[str, Any] = {}
    evaluation: Mapping[str, Any] | None = None
    expected: list[dict[str, Any]] = []


_read: Final = msgspec.json.Decoder(float_hook=Written).decode


def read_json(raw: bytes | str) -> Any:
    """Return a JSON value, its numbers as written. Raises ValueError where it is none."""
    try:
        return _read(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error) or "it nests too deep") from error


def write_json(value: Any) -> bytes:
    """Return a value's JSON, numbers as they were written."""
    return msgspec.json.encode(value, enc_hook=lambda number: msgspec.Raw(number.text.encode()))


def is_results(document: Any) -> bool:
    """Tell whether a document holds the results of tau2: simulations, and the tasks they are of."""
    return isinstance(document, dict) and isinstance(document.get("simulations"), list)


def is_record(value: Any) -> bool:
    """Tell whether a value is a run by its list of messages."""
    return isinstance(value, dict) and isinstance(value.get("messages"), list)


def is_message(value: Any) -> bool:
    """Tell whether a value is a message: an object with a role."""
    return isinstance(value, dict) and isinstance(value.get("role"), str)


def list_results(document: dict[str, Any]) -> Iterator[Run | dict[str, Any]]:
    """Yield the runs of a tau2 document; a simulation that is none, as it is."""
    about = _describe(document.get("info"))
    tasks = {task.get("id"): task for task in document.get("tasks") or () if isinstance(task, dict)}
    for simulation in document["simulations"]:
        if not is_record(simulation) or not isinstance(simulation.get("id"), str):
            yield simulation
            continue
        task = tasks.get(simulation.get("task_id"))
        told = about | {"task": simulation.get("task_id")}
        judged = {name: value for name, value in simulation.items() if name not in _TOLD}
        reward = (simulation.get("reward_info") or {}).get("reward")
        yield Run(
            id=simulation["id"],
            messages=simulation["messages"],
            time=simulation.get("start_time"),
            about={name: value for name, value in told.items() if value is not None},
            evaluation=judged | about | {"reward": reward, "definition": task},
            expected=((task or {}).get("evaluation_criteria") or {}).get("actions") or [],
        )


def _describe(info: Any) -> dict[str, Any]:
    """Return the model and the domain that all runs of a document have in common."""
    known = info if isinstance(info, dict) else {}
    agent, environment = known.get("agent_info") or {}, known.get("environment_info") or {}
    found = {"model": agent.get("llm"), "domain": environment.get("domain_name"), "agent": agent.get("implementation")}
    return {name: value for name, value in found.items() if value is not None}


def make_run(record: dict[str, Any], name: str) -> Run:
    """Return the run that a list of messages is; ``name`` is its id where it has none."""
    given = next((record[key] for key in _IDS if isinstance(record.get(key), str | int) and record[key] != ""), name)
    time = name_time(record)
    return Run(
        id=str(given),
        messages=record["messages"],
        time=None if time is None else record[time],
        about={"model": record["model"]} if isinstance(record.get("model"), str) else {},
        rest={key: value for key, value in record.items() if key not in {"messages", *_IDS}},
    )


def name_time(value: Mapping[str, Any]) -> str | None:
    """Return the member that has the time of a message or record, or None."""
    return next((name for name in _TIMES if value.get(name) is not None), None)
