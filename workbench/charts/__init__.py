"""Frames in, `altair.Chart` out. Pure: no engine, no toolkit, nothing switched on globally."""

from workbench.charts.grammars import defer_grammars

# Before any chart's module loads Altair.
defer_grammars()
