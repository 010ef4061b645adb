"""JSON values of every kind, generated: with keys that patches must escape, and lists of things that have keys."""

from typing import Any

from hypothesis import strategies as st

from workbench.deltas.structure.numbers import Number

NUMBERS = st.integers(-2, 2) | st.integers(-(2**63), 2**63 - 1)
WRITTEN = st.sampled_from([Number(text) for text in ("1.0", "1.10", "1.1", "1e0", "-0.0", "2.5", "1E+2")])
AWKWARD = ["", "a", "~", "/", "~1", "0", "-", "é", "مرحبا", "漢字", "👩\u200d👩\u200d👧", "e\u0301", "a\r\nb"]
TEXTS = st.sampled_from(AWKWARD) | st.text(max_size=4)
SCALARS = st.none() | st.booleans() | NUMBERS | WRITTEN | TEXTS
THINGS = st.lists(
    st.fixed_dictionaries({"item_id": st.integers(0, 4) | TEXTS, "name": TEXTS, "amount": SCALARS}), max_size=4
)


def _nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=4) | THINGS


VALUES: st.SearchStrategy[Any] = st.recursive(SCALARS, _nest, max_leaves=16)
