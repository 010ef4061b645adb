"""The append-only Iceberg table of events and what is kept beside it."""

from workbench.config import Settings
from workbench.eventlog.base import Log
from workbench.eventlog.head import Head
from workbench.eventlog.ingest import IngestReport
from workbench.eventlog.maintain import MaintenanceReport
from workbench.eventlog.native import NativeLog

__all__ = ["Head", "IngestReport", "Log", "MaintenanceReport", "NativeLog", "open_log"]


def open_log(settings: Settings) -> Log:
    """Return the log the settings name, made on first use."""
    return NativeLog(settings)
