"""Columns of `measures` as Polars has them."""

from typing import Final

import polars as pl

from workbench.deltas.columns import MEASURES

_TYPES: Final = {"bigint": pl.Int64(), "double": pl.Float64(), "varchar": pl.String()}
KEYS: Final = {"kind": pl.String(), "proposal_position": pl.Int64(), "decision_position": pl.Int64()}
MEASURED: Final = {name: _TYPES[kind] for name, kind in MEASURES.items()}
SCHEMA: Final = {**KEYS, **MEASURED}
