"""Settings: read once, frozen, passed down."""

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from workbench.errors import ConfigError

FILE_NAME: Final = "workbench.toml"
DEFAULT_FOLDER: Final = ".workbench"


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


class TrinoSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[trino]``: where the server is and how one proves who asks; what is left out comes from TRINO_… variables.

    ``catalog`` is the server's name of the catalog. ``auth`` "basic" takes its password from TRINO_PASSWORD and "jwt"
    its token from TRINO_TOKEN: no setting holds a secret. ``verify`` is a switch, or a file of trusted certificates.
    """

    host: str = "localhost"
    port: int = 8080
    user: str = "workbench"
    catalog: str | None = None
    http_scheme: Literal["http", "https"] = "http"
    verify: bool | str = True
    auth: Literal["none", "basic", "jwt", "oauth2", "certificate"] = "none"
    certificate: str | None = None
    key: str | None = None
    spooled: bool = True


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a session needs to know before it opens anything.

    ``folder`` holds an embedded log; ``catalog`` is the name of a catalog as PyIceberg knows it and then None is the
    folder's own SQLite catalog. ``schemas`` is the folder of event schemas and upcasters,
    ``projections`` that of projections. ``deltas`` holds, by the name of a kind of proposal, the table that says which
    events it is made of; workbench.deltas.mapping reads them. ``python_steps`` allows upcasters of that folder to be
    Python functions; no file can, as a log's folder may be someone else's: it is the variable WORKBENCH_PYTHON_STEPS.
    """

    folder: Path
    name: str
    catalog: str | None = None
    engine: Literal["duckdb", "trino"] = "duckdb"
    schemas: Path | None = None
    projections: Path | None = None
    deltas: Mapping[str, Mapping[str, Any]] = {}
    python_steps: bool = False
    log: LogSettings = msgspec.field(default_factory=LogSettings)
    query: QuerySettings = msgspec.field(default_factory=QuerySettings)
    trino: TrinoSettings = msgspec.field(default_factory=TrinoSettings)

    @property
    def late_after(self) -> timedelta:
        """How long after it happened an event may be recorded before it counts as late."""
        return timedelta(seconds=self.log.late_after)


def load_settings(
    target: str | Path | None = None,
    *,
    engine: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings of a log: a folder, a workbench.toml, a catalog's name, or what the current folder holds.

    Without a target it is ``./workbench.toml`` if there is one, else the folder ``./.workbench``. A folder may hold a
    workbench.toml of its own. A name stands for a catalog where no such folder or file holds a log and PyIceberg's own
    configuration knows it. Raises ConfigError naming the setting at fault.
    """
    values: dict[str, Any]
    if isinstance(target, str) and is_catalog(target):
        values, base, file = {"catalog": target, "name": target}, Path(), Path(FILE_NAME)
    else:
        path = _target(target)
        file = path / FILE_NAME if path.is_dir() or path.suffix != ".toml" else path
        values = _read(file) if file.is_file() else {}
        base = file.parent if file.is_file() else path
        if "folder" in values or "catalog" not in values:
            values["folder"] = base / values.get("folder", "." if file.parent == path else DEFAULT_FOLDER)
    folder = values.setdefault("folder", _cache_folder(values))
    values.setdefault("name", values.get("catalog") or _name(folder))
    for name in ("schemas", "projections"):
        given = values.pop(name, None)
        values[name] = base / given if given else _existing(base / name)
    values["deltas"] = read_deltas(values.get("deltas", {}), base / "deltas", file)
    values["trino"] = read_trino(values.get("trino", {}), environment, catalog=values.get("catalog"))
    if "python_steps" in values:
        raise ConfigError(
            f"{file} holds python_steps, and no file may allow code to run. Remove it, and set WORKBENCH_PYTHON_STEPS."
        )
    values["python_steps"] = _read_switch("WORKBENCH_PYTHON_STEPS", environment)
    if engine is not None:
        values["engine"] = engine
    return _convert(values, file)


def read_deltas(given: Any, folder: Path, file: Path) -> dict[str, Any]:
    """Return the tables ``[deltas.NAME]`` by name, with those of a folder's TOML files. Raises ConfigError.

    A file is one such table, named as the file is, or holds several under ``[deltas.NAME]`` of its own.
    """
    found: dict[str, Any] = {}
    written = [(file, given), *((each, _read(each)) for each in sorted(folder.glob("*.toml")))]
    for place, table in written:
        inner = table if place == file else table.get("deltas", {place.stem: table})
        if not isinstance(inner, dict) or not all(isinstance(each, dict) for each in inner.values()):
            raise ConfigError(f"{place}: deltas is no table of tables. Write [deltas.NAME], and its parts below.")
        for name, each in inner.items():
            if name in found:
                raise ConfigError(f"{place}: the deltas {name!r} are there already. Give them another name.")
            found[name] = each
    return found


def is_catalog(name: str) -> bool:
    """Say whether a target is the name of a catalog that PyIceberg's configuration knows, and not a log here."""
    path = Path(name)
    if path.name != name or name in ("", "..") or path.suffix == ".toml":
        return False
    here = (path / "catalog.db", path / FILE_NAME, path.with_name(f"{name}.toml"))
    if any(file.is_file() for file in here) or not _may_be_catalog(name):
        return False
    from pyiceberg.utils.config import Config

    return Config().get_catalog_config(name) is not None


def _may_be_catalog(name: str) -> bool:
    """Look for the name where PyIceberg looks, before PyIceberg itself is imported (0.3 s)."""
    variable = f"PYICEBERG_CATALOG__{name.upper()}__"
    if any(key.upper().startswith(variable) for key in os.environ):
        return True
    homes = (os.environ.get("PYICEBERG_HOME"), str(Path.home()), ".")
    return any(home and (Path(home) / ".pyiceberg.yaml").is_file() for home in homes)


def _cache_folder(values: Mapping[str, Any]) -> Path:
    """Return where this machine keeps what it can make anew of a shared catalog's log."""
    log = values.get("log")
    namespace = log.get("namespace", "log") if isinstance(log, Mapping) else "log"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "eventlog-workbench" / "catalogs" / str(values.get("catalog")) / str(namespace)


_VARIABLES: Final = {
    name: f"TRINO_{name.upper()}"
    for name in ("host", "port", "user", "catalog", "http_scheme", "verify", "auth", "certificate", "key", "spooled")
}
_SECRETS: Final = ("password", "token", "jwt", "secret")
_SWITCHES: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read_trino(given: Any, environment: Mapping[str, str], *, catalog: str | None) -> dict[str, Any]:
    """Return the table ``[trino]`` with what it leaves out taken from TRINO_… variables. Raises ConfigError."""
    if not isinstance(given, dict):
        raise ConfigError("[trino] is no table. Write [trino] on a line of its own, and its settings below.")
    for name in _SECRETS:
        if name in given:
            raise ConfigError(
                f"[trino] holds {name}, and no file may hold a secret. Remove it, and set TRINO_PASSWORD (auth = "
                '"basic") or TRINO_TOKEN (auth = "jwt").'
            )
    values = {name: _variable(name, environment[key]) for name, key in _VARIABLES.items() if environment.get(key)}
    values = {**values, **given}
    host = values.get("host", "")
    if isinstance(host, str) and any(mark in host for mark in "/@:"):
        raise ConfigError(
            "trino.host (or TRINO_HOST) is more than a host's name. Give the name alone; port, http_scheme and user "
            "are settings of their own."
        )
    if values.get("http_scheme") == "https":
        values.setdefault("port", 443)
    if catalog is not None:
        values.setdefault("catalog", catalog)
    return values


def _variable(name: str, text: str) -> Any:
    """Return a variable's text as its setting's value. Raises ConfigError naming the variable."""
    if name == "port":
        if not text.isdigit():
            raise ConfigError(f"TRINO_PORT={text!r} is no number. Give the port of the server, such as 8080.")
        return int(text)
    if name == "spooled" and text.lower() not in _SWITCHES:
        raise ConfigError(f"TRINO_SPOOLED={text!r} is no switch. Give true or false.")
    return _SWITCHES.get(text.lower(), text) if name in ("verify", "spooled") else text


def _read_switch(name: str, environment: Mapping[str, str]) -> bool:
    text = environment.get(name, "").lower()
    if text and text not in _SWITCHES:
        raise ConfigError(f"{name}={text!r} is no switch. Give true or false.")
    return _SWITCHES.get(text, False)


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
