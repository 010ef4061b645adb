"""What an export for training is: its format, its rules in their order, and which rule drops which proposal. Pure."""

import string
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, Literal

import msgspec

from workbench.deltas.structure.numbers import read_value
from workbench.errors import ArgumentError

Format = Literal["sft", "dpo", "kto", "openai"]
FORMATS: Final[tuple[Format, ...]] = ("sft", "dpo", "kto", "openai")
Split = Literal["none", "log", "time", "person"]
SPLITS: Final[tuple[Split, ...]] = ("none", "log", "time", "person")
# In this order; a proposal is counted at the first rule that drops it.
RULES: Final = {
    "undecided": "Decided proposals",
    "unchanged": "Unchanged: both texts are the same",
    "blank": "Differs in white space or letter case only",
    "textless": "Rejected, no text of their own",
    "twice": "Same prompt, proposal and value twice",
    "near": "Distance under {low:.2f}",
    "far": "Distance over {high:.2f}",
    "spread": "Prompt in more than one split",
    "empty": "Empty prompt or text",
}
# A pair teaches by its difference; a text of its own teaches also where the proposal was right.
PAIRED: Final = tuple(RULES)
SINGLE: Final = ("undecided", "textless", "twice", "spread", "empty")
REFUSED: Final = tuple(rule for rule in RULES if rule != "textless")
# What rows are made of a proposal, and by which rules: KTO has yes to the person's text and no to the proposal.
Kind = Literal["own", "pair", "no"]
RULES_OF: Final[Mapping[Kind, tuple[str, ...]]] = {"own": SINGLE, "pair": PAIRED, "no": REFUSED}
KINDS: Final[Mapping[Format, tuple[Kind, ...]]] = {
    "sft": ("own",),
    "dpo": ("pair",),
    "kto": ("own", "no"),
    "openai": ("pair",),
}


class ExportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an export depends on beside the deltas: the same plan and deltas give the same bytes.

    ``prompt`` is a template: ``{context}``, ``{model}``, ``{version}``, ``{kind}`` or a further field of the mapping
    stands for what the proposal has there. ``distance`` is the least and the greatest that a pair may have. ``shares``
    are train, dev and test, where the split is made here; with ``split`` "log" the field ``split`` of the mapping names
    it.
    """

    format: Format = "dpo"
    messages: bool = True
    file: Literal["jsonl", "parquet"] = "jsonl"
    split: Split = "none"
    prompt: str = "{context}"
    distance: tuple[float, float] = (0.05, 0.80)
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)

    def __post_init__(self) -> None:
        """Raise ArgumentError for thresholds and shares that are none."""
        low, high = self.distance
        if not 0 <= low <= high <= 1:
            raise ArgumentError(
                f"distance={low:g}, {high:g} is no range. Give two numbers from 0 to 1, the least first."
            )
        if min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-9:  # noqa: PLR2004 - rounding of three decimals
            raise ArgumentError(
                f"shares={self.shares} do not add up to 1. Give train, dev and test, such as 0.8 0.1 0.1."
            )


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A proposal as an export sees it. ``value`` is None where the person gave no text, ``split`` where it has none."""

    position: int
    proposal_id: str
    decision: str
    prompt: str
    proposed: str
    value: str | None
    distance: float | None
    split: str | None
    meta: Mapping[str, Any]


META: Final = ("proposal_id", "position", "decision", "model", "version", "person", "stream_id", "hter", "distance")


def read_candidate(
    row: Mapping[str, Any], plan: ExportPlan, split: str | None, fields: Sequence[str] = ()
) -> Candidate:
    """Return a row of `deltas` as an export sees it. Raises ArgumentError for a template that cannot be filled in.

    ``fields`` are the further fields of the mappings, of which a row has those that its events hold.

    The person's text is what stands today where its document was followed, else the value decided on; of what was
    accepted as it is, the proposal.
    """
    proposed = read_text(row["content"]) or ""
    decided = row["value_end"] or row["value"]
    value = read_text(decided) if row["decision"] in ("accepted", "edited") else None
    if row["decision"] == "accepted" and decided is None:
        value = proposed
    meta = {name: row[name] for name in META if row.get(name) is not None}
    return Candidate(
        position=row["position"],
        proposal_id=row["proposal_id"],
        decision=row["decision"],
        prompt=write_prompt(plan.prompt, row, fields),
        proposed=proposed,
        value=value,
        distance=row["distance"],
        split=split,
        meta=meta,
    )


def read_text(content: str | None) -> str | None:
    """Return a JSON text as a model is shown it: a text's own characters, anything else as its JSON.

    >>> read_text('"a loan"'), read_text('{"a":1}')
    ('a loan', '{"a":1}')
    """
    if content is None or content == "null":
        return None
    return str(read_value(content)) if content.startswith('"') else content


def write_prompt(template: str, row: Mapping[str, Any], fields: Sequence[str] = ()) -> str:
    """Return the prompt a proposal was made for, after a template; what it has not got is an empty text.

    Raises ArgumentError naming what a template may hold.
    """
    own = {name: row[name] or "" for name in ("context", "model", "version", "kind")}
    known = own | dict.fromkeys(fields, "") | own
    found = read_value(row["fields"]) if row["fields"] else {}
    known |= {name: "" if value is None else str(value) for name, value in found.items()}
    try:
        return "".join(
            text + ("" if name is None else known[name]) for text, name, _, _ in string.Formatter().parse(template)
        )
    except (KeyError, ValueError) as error:
        listed = ", ".join(f"{{{name}}}" for name in known)
        raise ArgumentError(f"The prompt {template!r} cannot be filled in: {error}. It may hold {listed}.") from error


class Judge:
    """Says which rule drops a proposal. What it has seen it remembers as digests, 16 bytes a proposal."""

    def __init__(self, plan: ExportPlan) -> None:
        self._low, self._high = plan.distance
        self._kind: Kind = "pair"
        self._tests = {
            kind: [(rule, getattr(self, f"_is_{rule}")) for rule in rules] for kind, rules in RULES_OF.items()
        }
        self._seen: set[bytes] = set()
        self._splits: dict[bytes, str | None] = {}
        self.spread: set[bytes] = set()

    def note(self, candidate: Candidate) -> None:
        """Remember in which split a prompt stands, before anything is judged."""
        key = _digest(candidate.prompt)
        if self._splits.setdefault(key, candidate.split) != candidate.split:
            self.spread.add(key)

    def find_rule(self, candidate: Candidate, kind: Kind) -> str | None:
        """Return the first rule that drops a proposal as rows of a kind, None where none does."""
        self._kind = kind
        return next((rule for rule, drops in self._tests[kind] if drops(candidate)), None)

    def _is_undecided(self, candidate: Candidate) -> bool:
        return candidate.decision not in ("accepted", "edited", "rejected")

    def _is_unchanged(self, candidate: Candidate) -> bool:
        return candidate.value == candidate.proposed

    def _is_blank(self, candidate: Candidate) -> bool:
        return candidate.value is not None and _fold(candidate.value) == _fold(candidate.proposed)

    def _is_textless(self, candidate: Candidate) -> bool:
        return candidate.value is None

    def _is_twice(self, candidate: Candidate) -> bool:
        key = _digest(self._kind, candidate.prompt, candidate.proposed, candidate.value or "")
        if key in self._seen:
            return True
        self._seen.add(key)
        return False

    def _is_near(self, candidate: Candidate) -> bool:
        return candidate.distance is not None and candidate.distance < self._low

    def _is_far(self, candidate: Candidate) -> bool:
        return candidate.distance is not None and candidate.distance > self._high

    def _is_spread(self, candidate: Candidate) -> bool:
        return bool(self.spread) and _digest(candidate.prompt) in self.spread

    def _is_empty(self, candidate: Candidate) -> bool:
        texts = {"own": (candidate.value,), "no": (candidate.proposed,), "pair": (candidate.proposed, candidate.value)}
        return not all(text and text.strip() for text in (candidate.prompt, *texts[self._kind]))


def name_rule(rule: str, plan: ExportPlan) -> str:
    """Return what a rule says on a screen."""
    return RULES[rule].format(low=plan.distance[0], high=plan.distance[1])


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _digest(*texts: str) -> bytes:
    # Lengths first, so that no two lists of texts read alike.
    lengths = ",".join(str(len(text)) for text in texts)
    return blake2b("\0".join((lengths, *texts)).encode("utf-8", "surrogatepass"), digest_size=16).digest()
