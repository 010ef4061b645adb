"""Choices and a session in, a View out. Knows no toolkit."""

import workbench.charts  # noqa: F401 - before any view's module loads Altair: see its grammars
