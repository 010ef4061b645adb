"""Choices and a session in, a View out. Knows no toolkit.

``timeline``, ``as_of`` and ``deltas`` are the views of one app each; what stands beside them is shared.
"""

import workbench.charts  # noqa: F401 - before any view's module loads Altair: see its grammars
