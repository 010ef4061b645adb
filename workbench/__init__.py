"""The workbench for an append-only event log: append, ingest, query, replay and look at it.

The map, in the order data flows:

- `workbench.event`, `workbench.config`, `workbench.errors`: the values, the settings, what can be refused
- `workbench.sources`: records come in
- `workbench.decode`: records become events or rejections
- `workbench.eventlog`: the append-only Iceberg table
- `workbench.query`: the engines that read it back
- `workbench.replay`: events become states, to any moment, with the reason for every value
- `workbench.session`: a log, opened; the one place that wires things
- `workbench.charts`, `workbench.views`: questions and their pictures
- `workbench.apps`, `workbench.cli`: the same for notebooks, a browser and a shell

The names below are the public surface. Each is imported when it is first used, so `import workbench` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.config import Settings
    from workbench.errors import WorkbenchError
    from workbench.event import Actor, Basis, Event, RawRecord, Rejection
    from workbench.eventlog import Head, IngestReport
    from workbench.session import AppendReceipt, Session, connect
    from workbench.views.base import View

__version__ = "0.1.0"

# Public name -> module that defines it; at most 20.
_HOMES = {
    "Actor": "workbench.event",
    "AppendReceipt": "workbench.session",
    "Basis": "workbench.event",
    "Event": "workbench.event",
    "Head": "workbench.eventlog",
    "IngestReport": "workbench.eventlog",
    "RawRecord": "workbench.event",
    "Rejection": "workbench.event",
    "Session": "workbench.session",
    "Settings": "workbench.config",
    "View": "workbench.views.base",
    "WorkbenchError": "workbench.errors",
    "connect": "workbench.session",
}

__all__ = [
    "Actor",
    "AppendReceipt",
    "Basis",
    "Event",
    "Head",
    "IngestReport",
    "RawRecord",
    "Rejection",
    "Session",
    "Settings",
    "View",
    "WorkbenchError",
    "connect",
]


def __getattr__(name: str) -> Any:
    """Return a public name, importing its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"workbench has no public name {name!r}; it has {', '.join(__all__)}.")
    named = getattr(import_module(_HOMES[name]), name)
    globals()[name] = named
    return named


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
