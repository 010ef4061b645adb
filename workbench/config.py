"""Settings: read once, frozen, passed down."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from workbench.errors import ConfigError

FILE_NAME = "workbench.toml"
DEFAULT_FOLDER = ".workbench"


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[log]``: how the log is named, written and laid out. Times in seconds, sizes in events.

    ``table`` ("namespace.name") and ``mapping`` (the log's columns, each a column or an SQL expression over the
    table's) are for a log that others write; it is read-only, and the settings of writing have no meaning there.
    """

    namespace: str = "log"
    source: str = "workbench"
    late_after: float = 3600.0
    snapshots_kept: int = 8
    lock_timeout: float = 120.0
    clock_tolerance: float = 60.0
    by_stream: bool = True
    mapping: Mapping[str, str] | None = None
    table: str | None = None


class QuerySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[query]``: the limits of one statement. 0 means no limit."""

    row_limit: int = 1_000_000
    time_limit: float = 300.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a session needs to know before it opens anything.

    ``folder`` holds an embedded log; ``catalog`` is the name of a catalog as PyIceberg knows it and then None is the
    folder's own SQLite catalog. ``schemas`` is the folder of event schemas and upcasters.
    """

    folder: Path
    name: str
    catalog: str | None = None
    engine: Literal["duckdb", "trino"] = "duckdb"
    schemas: Path | None = None
    log: LogSettings = msgspec.field(default_factory=LogSettings)
    query: QuerySettings = msgspec.field(default_factory=QuerySettings)

    @property
    def late_after(self) -> timedelta:
        """How long after it happened an event may be recorded before it counts as late."""
        return timedelta(seconds=self.log.late_after)


def load_settings(target: str | Path | None = None, *, engine: str | None = None) -> Settings:
    """Return the settings of a log: a folder, a workbench.toml, or what stands in the current folder.

    Without a target it is ``./workbench.toml`` if there is one, else the folder ``./.workbench``. A folder may hold a
    workbench.toml of its own. Raises ConfigError naming the setting at fault.
    """
    path = _target(target)
    file = path / FILE_NAME if path.is_dir() or path.suffix != ".toml" else path
    values = _read(file) if file.is_file() else {}
    base = file.parent if file.is_file() else path
    folder = base / values.pop("folder", "." if file.parent == path else DEFAULT_FOLDER)
    name = values.pop("name", _name(folder))
    schemas = values.pop("schemas", None)
    schemas = base / schemas if schemas else _existing(base / "schemas")
    chosen = {**values, "folder": folder, "name": name, "schemas": schemas}
    if engine is not None:
        chosen["engine"] = engine
    return _convert(chosen, file)


def _target(target: str | Path | None) -> Path:
    if target is not None:
        return Path(target).expanduser()
    here = Path(FILE_NAME)
    return here if here.is_file() else Path(DEFAULT_FOLDER)


def _name(folder: Path) -> str:
    name = folder.resolve().name
    return folder.resolve().parent.name if name == DEFAULT_FOLDER else name


def _existing(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"{file} cannot be read as TOML: {error}. Mend the line named, or remove the file."
        ) from error


def _convert(values: dict[str, Any], file: Path) -> Settings:
    try:
        return msgspec.convert(values, Settings, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{file}: {error}. The settings possible are listed in ARCHITECTURE.md.") from error
