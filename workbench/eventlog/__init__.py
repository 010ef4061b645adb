"""The append-only Iceberg table of events and what is kept beside it.

``writing`` brings events in, over the ``index`` of what is there; ``upkeep`` keeps the log quick and proves it;
``shapes`` is what engines are told of its tables, ``storage`` where those lie, ``foreign`` what others write.
"""

from workbench.config import Settings
from workbench.errors import ConfigError
from workbench.eventlog.base import Log, Span
from workbench.eventlog.foreign.foreign import MappedLog
from workbench.eventlog.head import Head
from workbench.eventlog.native import NativeLog
from workbench.eventlog.upkeep.maintain import MaintenanceReport
from workbench.eventlog.upkeep.verify import Finding
from workbench.eventlog.writing.ingest import IngestReport

__all__ = ["Finding", "Head", "IngestReport", "Log", "MaintenanceReport", "MappedLog", "NativeLog", "Span", "open_log"]


def open_log(settings: Settings) -> Log:
    """Return the log the settings name, made on first use; with a mapping, the table of others that it maps."""
    if settings.log.mapping is not None:
        return MappedLog(settings)
    if settings.log.table is not None:
        raise ConfigError(
            f"table = {settings.log.table!r} under [log] names a table of others, and [log.mapping] does not say how "
            "to read it. Add the mapping, or remove table; a log of our own is named by namespace."
        )
    return NativeLog(settings)
