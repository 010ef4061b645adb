"""Which engine a session uses, by name."""

from collections.abc import Sequence

from workbench.config import Settings
from workbench.decode.registry import Registry
from workbench.errors import ConfigError
from workbench.query.base import Engine


def open_engine(settings: Settings, registry: Registry, directories: Sequence[str]) -> Engine:
    """Return the engine the settings name, reading files of ``directories`` alone. Raises ConfigError."""
    if settings.engine == "duckdb":
        from workbench.query.duckdb import DuckDBEngine
        from workbench.query.lifting import lifting_functions

        return DuckDBEngine(directories, functions=lifting_functions(registry))
    raise ConfigError(f"engine={settings.engine!r} is not built yet. Use engine='duckdb'.")
