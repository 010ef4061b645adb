import socket
from pathlib import Path

import pytest

from workbench.apps.server import APPS, find_notebooks, make_app, serve
from workbench.apps.sessions import ENGINE, LOG, known_apps, share_session
from workbench.config import load_settings
from workbench.errors import ArgumentError, ConfigError


def test_another_bind_than_loopback_asks_for_a_token(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="--token"):
        serve(tmp_path, host="0.0.0.0")  # noqa: S104 - the address that must be refused


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ArgumentError, match=str(port)):
            serve(tmp_path, port=port)
    with pytest.raises(ArgumentError, match="70000"):
        serve(tmp_path, port=70_000)


def test_every_app_has_its_notebook() -> None:
    assert all((find_notebooks() / f"{name}.py").is_file() for name, _, _ in APPS)


def test_the_pages_of_a_server_share_its_log_and_one_session(
    hostile_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_app(load_settings(hostile_log))
    monkeypatch.setenv(LOG, "/nowhere")
    assert share_session() is share_session(str(hostile_log))
    assert [app["name"] for app in known_apps()] == ["Home", "Timeline", "As of", "Deltas"]
    assert share_session().head().event_count == 120


def test_the_engine_is_named_by_argument_or_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A log in a folder is no server's to read: who names Trino for it is told so, by whichever way it was named.
    with pytest.raises(ConfigError, match="engine='trino' reads a shared catalog"):
        share_session(str(tmp_path), engine="trino")
    monkeypatch.setenv(ENGINE, "trino")
    with pytest.raises(ConfigError, match="engine='trino' reads a shared catalog"):
        share_session(str(tmp_path))
    assert share_session(str(tmp_path), engine="duckdb").engine.name == "duckdb"
