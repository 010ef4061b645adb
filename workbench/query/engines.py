"""Which engine a session uses, by name."""

from workbench.config import Settings
from workbench.decode.registry import Registry
from workbench.errors import ConfigError
from workbench.eventlog import Log
from workbench.query.base import Engine


def open_engine(settings: Settings, registry: Registry, log: Log) -> Engine:
    """Return the engine the settings name: Trino, or DuckDB reading files of the log's folders alone.

    Raises ConfigError, MissingExtraError.
    """
    if settings.engine == "duckdb":
        from workbench.query.duckdb.engine import DuckDBEngine
        from workbench.query.upcast.lifting import lifting_functions

        return DuckDBEngine(log.directories(), functions=lifting_functions(registry), objects=log.objects())
    if settings.trino.catalog is None or settings.catalog is None:
        raise ConfigError(
            "engine='trino' reads a shared catalog, and this log lies in a folder. Name a catalog that PyIceberg and "
            'Trino both know: connect("name", engine="trino"), or catalog = "name" in workbench.toml.'
        )
    from workbench.query.trino.access import open_server
    from workbench.query.trino.engine import TrinoEngine

    return TrinoEngine(open_server(settings.trino), settings.trino.catalog)
