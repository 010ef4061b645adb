"""The append-only Iceberg table of events and what is kept beside it."""

from workbench.config import Settings
from workbench.eventlog.base import Log, Span
from workbench.eventlog.foreign import MappedLog
from workbench.eventlog.head import Head
from workbench.eventlog.ingest import IngestReport
from workbench.eventlog.maintain import MaintenanceReport
from workbench.eventlog.native import NativeLog
from workbench.eventlog.verify import Finding

__all__ = ["Finding", "Head", "IngestReport", "Log", "MaintenanceReport", "MappedLog", "NativeLog", "Span", "open_log"]


def open_log(settings: Settings) -> Log:
    """Return the log the settings name, made on first use; with a mapping, the table of others that it maps."""
    return NativeLog(settings) if settings.log.mapping is None else MappedLog(settings)
