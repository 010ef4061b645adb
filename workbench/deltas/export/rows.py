"""Rows as trainers read them: TRL's SFT, DPO and KTO, and OpenAI's preference format. Pure.

The keys are those of TRL's dataset formats; what a row comes of stands in one further member, ``meta``.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from workbench.deltas.export.rules import Candidate, ExportPlan, Format, Kind

Row = dict[str, Any]
# The sets of keys that TRL tells its formats by.
KEYS: Final[Mapping[Format, tuple[frozenset[str], ...]]] = {
    "sft": (frozenset({"messages"}), frozenset({"prompt", "completion"})),
    "dpo": (frozenset({"prompt", "chosen", "rejected"}),),
    "kto": (frozenset({"prompt", "completion", "label"}),),
    "openai": (frozenset({"input", "preferred_output", "non_preferred_output"}),),
}


def write_row(candidate: Candidate, plan: ExportPlan, kind: Kind) -> Row:
    """Return the row of a proposal, as messages or as plain text.

    >>> from workbench.deltas.export.rules import ExportPlan
    >>> letter = Candidate(position=4, proposal_id="p", decision="edited", prompt="Write.", proposed="Dear", value="Hi",
    ...     distance=1.0, split=None, meta={"position": 4})
    >>> write_row(letter, ExportPlan(format="dpo", messages=False), "pair")
    {'prompt': 'Write.', 'chosen': 'Hi', 'rejected': 'Dear', 'meta': {'position': 4}}
    """
    return {**_WRITERS[plan.format](candidate, plan, kind), "meta": dict(candidate.meta)}


def _said(role: str, text: str, plan: ExportPlan) -> Any:
    return [{"role": role, "content": text}] if plan.messages else text


def _sft(candidate: Candidate, plan: ExportPlan, _kind: Kind) -> Row:
    value = candidate.value or ""
    if plan.messages:
        return {"messages": [*_said("user", candidate.prompt, plan), *_said("assistant", value, plan)]}
    return {"prompt": candidate.prompt, "completion": value}


def _dpo(candidate: Candidate, plan: ExportPlan, _kind: Kind) -> Row:
    return {
        "prompt": _said("user", candidate.prompt, plan),
        "chosen": _said("assistant", candidate.value or "", plan),
        "rejected": _said("assistant", candidate.proposed, plan),
    }


def _kto(candidate: Candidate, plan: ExportPlan, kind: Kind) -> Row:
    said = (candidate.value or "") if kind == "own" else candidate.proposed
    return {
        "prompt": _said("user", candidate.prompt, plan),
        "completion": _said("assistant", said, plan),
        "label": kind == "own",
    }


def _openai(candidate: Candidate, _plan: ExportPlan, _kind: Kind) -> Row:
    return {
        "input": {"messages": [{"role": "user", "content": candidate.prompt}]},
        "preferred_output": [{"role": "assistant", "content": candidate.value or ""}],
        "non_preferred_output": [{"role": "assistant", "content": candidate.proposed}],
    }


_WRITERS: Final[Mapping[Format, Callable[[Candidate, ExportPlan, Kind], Row]]] = {
    "sft": _sft,
    "dpo": _dpo,
    "kto": _kto,
    "openai": _openai,
}


def check_row(row: Mapping[str, Any], plan: ExportPlan) -> list[str]:
    """Return what is wrong with a row: its keys, fields plain beside conversational ones, an empty text.

    The rules are those TRL tells its dataset formats by.
    """
    keys = frozenset(row) - {"meta"}
    wrong = [] if keys in KEYS[plan.format] else [f"The keys {', '.join(sorted(keys))} are no format of {plan.format}."]
    fields = [value for name, value in row.items() if name not in ("meta", "label", "input")]
    if len({isinstance(value, list) for value in fields}) > 1:
        wrong.append("Some fields are messages and some are plain text.")
    texts = [
        text
        for value in fields
        for text in ([message["content"] for message in value] if isinstance(value, list) else [value])
    ]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        wrong.append("A text is empty.")
    return wrong
