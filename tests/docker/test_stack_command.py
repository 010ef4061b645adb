"""docker/stack.py says what it does, keeps its secrets, and fails in one sentence that says what to do."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from docker.packages.commands import check_port, main
from docker.packages.layout import Ports, StackError, find_free_ports, open_stack
from docker.packages.parts import check_tools

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["fetch", "up", "run", "check", "env", "down"]


def run_stack(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "docker" / "stack.py"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"STACK_CACHE": ""} | variables
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said
    assert f"docker/stack.py {'up' if command in {'fetch', 'run'} else command}" in said


def test_without_maven_and_go_it_says_so_in_one_sentence_before_any_download(tmp_path: Path) -> None:
    done = run_stack("up", "--folder", str(tmp_path / "f"), PATH="/nonexistent", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("stack: The stack cannot be had here: go and mvn not found on the PATH.")
    assert "apt install maven" in line
    assert "Traceback" not in done.stderr


def test_only_the_tools_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mvn").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    check_tools(iter([("mvn",)]))
    with pytest.raises(StackError, match="here: go not found"):
        check_tools(iter([("mvn",), ("go",)]))


def test_each_folder_has_secrets_of_its_own_that_only_its_owner_can_read(tmp_path: Path) -> None:
    one, two = open_stack(tmp_path / "one"), open_stack(tmp_path / "two")
    assert set(one.secrets.values()).isdisjoint(two.secrets.values())
    assert open_stack(tmp_path / "one").secrets == one.secrets
    for stack in (one, two):
        assert stat.S_IMODE((stack.folder / "stack.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(stack.folder.stat().st_mode) == 0o700


def test_a_folder_keeps_the_ports_it_was_given(tmp_path: Path) -> None:
    ports = Ports.parse("free")
    assert len({ports.trino, ports.catalog, ports.minio}) == 3
    assert open_stack(tmp_path, ports).ports == ports
    assert open_stack(tmp_path).ports == ports
    assert open_stack(tmp_path, Ports.parse("1,2,3")).ports == Ports(1, 2, 3)


@pytest.mark.parametrize("text", ["8080", "a,b,c", "1,2,3,4", ""])
def test_ports_that_are_not_three_numbers_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(StackError, match="write --ports 8080,8181,9000 or free"):
        Ports.parse(text)


def test_a_port_somebody_else_listens_on_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        stack = open_stack(tmp_path, Ports(taken, *find_free_ports(2)))
        with pytest.raises(StackError, match=f"Trino cannot listen on 127.0.0.1:{taken}.*--ports free"):
            check_port(stack, "trino")
        check_port(stack, "catalog")


@pytest.mark.parametrize("command", ["check", "env", "down"])
def test_a_folder_without_a_stack_is_refused_and_not_made(command: str, tmp_path: Path) -> None:
    done = run_stack(command, "--folder", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "No stack was ever started in" in done.stderr
    assert not (tmp_path / "none").exists()


def test_check_names_every_part_that_does_not_answer(tmp_path: Path) -> None:
    open_stack(tmp_path, Ports.parse("free"))
    done = run_stack("check", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [
        "failed  MinIO",
        "failed  the REST catalog",
        "failed  Trino",
    ]
    assert done.stderr.startswith("stack: MinIO and the REST catalog and Trino did not answer. Start it with")


def test_env_gives_what_pyiceberg_and_the_trino_client_read(tmp_path: Path) -> None:
    stack = open_stack(tmp_path, Ports(1, 2, 3))
    exported = dict(
        line.removeprefix("export ").split("=", 1)
        for line in run_stack("env", "--folder", str(tmp_path)).stdout.split("\n")
        if line
    )
    assert exported == stack.client_variables()
    assert exported["PYICEBERG_CATALOG__LAKE__URI"] == "http://127.0.0.1:2"
    assert exported["TRINO_PORT"] == "1"


def test_down_stops_nothing_that_does_not_run_and_erases_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    open_stack(folder, Ports.parse("free"))
    assert run_stack("down", "--folder", str(folder)).returncode == 0
    assert json.loads((folder / "stack.json").read_text(encoding="utf-8"))["secrets"]
    assert run_stack("down", "--folder", str(folder), "--erase").returncode == 0
    assert not folder.exists()
