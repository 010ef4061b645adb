"""Which engine a session uses, by name."""

from workbench.config import Settings
from workbench.errors import ConfigError
from workbench.query.base import Engine


def open_engine(settings: Settings) -> Engine:
    """Return the engine the settings name. Raises ConfigError."""
    if settings.engine == "duckdb":
        from workbench.query.duckdb import DuckDBEngine

        return DuckDBEngine()
    raise ConfigError(f"engine={settings.engine!r} is not built yet. Use engine='duckdb'.")
