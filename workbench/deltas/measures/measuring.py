"""Measure decisions: what was proposed and what stands instead, in; rows of `measures`, out. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from workbench.deltas.columns import FIELD_MEASURES, TEXT_MEASURES
from workbench.deltas.measures.frames import SCHEMA
from workbench.deltas.structure.fields import compare_values
from workbench.deltas.structure.numbers import read_value, write_value
from workbench.deltas.text.metrics import TextMeasures, measure_pairs


class Taking(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that took a proposal: where both stand, what was proposed and what was made of it, as JSON texts.

    ``is_tokenised`` says that words of texts are what stands between white space. ``followed`` are measures of what
    became of it in its document, as columns of `measures`; where they hold ``value_end``, that is the value compared.
    """

    kind: str
    proposal_position: int
    decision_position: int
    proposed: str | None
    value: str | None
    is_tokenised: bool = False
    followed: Mapping[str, Any] = {}


def measure_takings(takings: Sequence[Taking], *, workers: int | None = None) -> pl.DataFrame:
    """Return the measures of decisions, one row each in their order; columns: SCHEMA.

    Two texts are compared by words and characters, any other two values path by path; where there is nothing to compare
    the measures are null. The rows depend on their own taking alone, not on the others or their order.

    >>> taking = Taking(kind="k", proposal_position=4, decision_position=7, proposed='"a loan"', value='"the loan"')
    >>> measure_takings([taking]).select("words_kept", "words_deleted", "words_inserted", "hter").row(0)
    (1, 1, 1, 0.5)
    """
    sides = [_read_sides(taking) for taking in takings]
    measured: dict[int, dict[str, Any]] = {}
    for is_tokenised in (False, True):
        measured |= _measure_texts(takings, sides, is_tokenised=is_tokenised, workers=workers)
    rows = [
        {
            "kind": taking.kind,
            "proposal_position": taking.proposal_position,
            "decision_position": taking.decision_position,
            **(measured.get(number) or ({} if found is None else _write_fields(*found))),
            **taking.followed,
        }
        for number, (taking, found) in enumerate(zip(takings, sides, strict=True))
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _measure_texts(
    takings: Sequence[Taking], sides: Sequence[tuple[Any, Any] | None], *, is_tokenised: bool, workers: int | None
) -> dict[int, dict[str, Any]]:
    """Return the measures of those whose sides are both texts, by number."""
    numbers = [
        number
        for number, (taking, found) in enumerate(zip(takings, sides, strict=True))
        if found and taking.is_tokenised == is_tokenised and all(isinstance(side, str) for side in found)
    ]
    pairs = [sides[number] or ("", "") for number in numbers]
    found = measure_pairs(pairs, workers=workers, tokenised=is_tokenised)
    return {number: _write_texts(measures) for number, measures in zip(numbers, found, strict=True)}


def _read_sides(taking: Taking) -> tuple[Any, Any] | None:
    value = taking.followed.get("value_end") or taking.value
    if taking.proposed is None or value is None:
        return None
    return read_value(taking.proposed), read_value(value)


def _write_texts(measures: TextMeasures) -> dict[str, Any]:
    found = {name: getattr(measures, name) for name in TEXT_MEASURES}
    places = list(zip(measures.places.kept, measures.places.changed, strict=True))
    written = {"edits": _write_json(measures.edits), "places": _write_json(places)}
    return {**found, **written, "fallback": measures.fallback}


def _write_fields(proposed: Any, value: Any) -> dict[str, Any]:
    """Return the measures of a structured proposal; its distance is the paths that differ of all there are."""
    delta = compare_values(proposed, value)
    found: dict[str, Any] = {name: getattr(delta, name) for name in FIELD_MEASURES if name != "patch"}
    differing = delta.paths_changed + delta.paths_removed + delta.paths_added
    distance = differing / (differing + delta.paths_kept) if delta.paths else 0.0
    return {**found, "patch": write_value(delta.patch), "distance": distance, "fallback": delta.fallback}


def _write_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
