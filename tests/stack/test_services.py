"""The stack from packages answers, keeps to loopback, and passes the very health checks compose.yaml declares."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from docker.packages.commands import is_ready
from docker.packages.health import ask, check_service, last_words, run_statement
from docker.packages.layout import ETC, HOST, ROOT, Ports, Stack, find_free_ports, open_stack
from docker.packages.services import NAMES, describe_minio, describe_trino, find_process, start_service, stop_service

COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))
USUAL = {"minio": 9000, "catalog": 8181, "trino": 8080, "workbench": 2718}


def read_health_check(name: str, port: int) -> list[str]:
    """The command compose.yaml checks a service with, on another port of loopback."""
    kind, *words = COMPOSE["services"][name]["healthcheck"]["test"]
    words = [word.replace(f"{HOST}:{USUAL[name]}", f"{HOST}:{port}") for word in words]
    assert any(f":{port}" in word for word in words)
    command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
    return [sys.executable if word == "python" else word for word in command]


def is_healthy(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


def wait_until_ended(stack: Stack, name: str) -> None:
    deadline = time.monotonic() + 300
    while find_process(stack, name) is not None:
        assert time.monotonic() < deadline, f"{name} still runs"
        time.sleep(0.2)


@pytest.fixture
def own_folder(tmp_path: Path) -> Stack:
    """A stack nothing of which runs."""
    return open_stack(tmp_path / "own", Ports.parse("free"))


@pytest.fixture
def dashboards(stack: Stack) -> Iterator[int]:
    """The dashboards, started by the words of compose.yaml, on a port of loopback."""
    del stack
    (port,) = find_free_ports(1)
    put = {"0.0.0.0": HOST, "2718": str(port), "/etc/workbench/workbench.toml": str(ROOT / "docker" / "workbench.toml")}  # noqa: S104 — what is replaced
    words = [put.get(word, word) for word in COMPOSE["services"]["workbench"]["command"]]
    token = next(word for word in words if word.startswith("${WORKBENCH_TOKEN"))
    words[words.index(token)] = "a-token"
    command = Path(sys.executable).with_name("workbench")
    variables = os.environ | {"TRINO_USER": COMPOSE["services"]["workbench"]["environment"]["TRINO_USER"]}
    with subprocess.Popen([command, *words], stdout=subprocess.DEVNULL, env=variables) as app:
        yield port
        app.terminate()


def test_every_part_answers_and_trino_reads_what_the_repository_says(stack: Stack) -> None:
    assert is_ready(stack)
    assert run_statement(stack, "SELECT 1") == [[1]]


@pytest.mark.parametrize("name", ["minio", "catalog", "trino"])
def test_the_health_checks_of_compose_pass_on_the_running_parts_and_fail_on_none(stack: Stack, name: str) -> None:
    assert is_healthy(read_health_check(name, getattr(stack.ports, name)))
    assert not is_healthy(read_health_check(name, find_free_ports(1)[0]))


def test_the_dashboards_of_compose_serve_the_lake_and_pass_their_health_check(dashboards: int) -> None:
    command = read_health_check("workbench", dashboards)
    deadline = time.monotonic() + 300
    while not is_healthy(command):
        assert time.monotonic() < deadline, "the dashboards do not answer"


def test_no_part_listens_beyond_loopback(stack: Stack) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("LOOPBACK NOT PROVEN: this machine has no other address")
    for port in (stack.ports.trino, stack.ports.catalog, stack.ports.minio):
        socket.create_connection((HOST, port), timeout=5).close()
        with pytest.raises(OSError, match=r"refused|unreachable"):
            socket.create_connection((address, port), timeout=5)


def test_a_large_answer_comes_through_the_object_store(stack: Stack) -> None:
    statement = b"SELECT n, m FROM UNNEST(sequence(1, 1000)) AS a (n), UNNEST(sequence(1, 1000)) AS b (m)"
    headers = {"X-Trino-User": "admin", "X-Trino-Query-Data-Encoding": "json+zstd"}
    reply = json.loads(ask(f"{stack.trino_url}/v1/statement", statement, headers))
    segments = []
    while "nextUri" in reply:
        reply = json.loads(ask(reply["nextUri"], None, headers))
        segments += reply.get("data", {}).get("segments", [])
    spooled = [segment for segment in segments if segment["type"] == "spooled"]
    assert sum(segment["metadata"]["rowsCount"] for segment in segments) == 1_000_000
    assert spooled
    assert all(segment["uri"].startswith(f"{stack.s3_url}/spool/") for segment in spooled)
    assert len(ask(spooled[0]["uri"])) == int(spooled[0]["metadata"]["segmentSize"])


def test_a_part_starts_once_is_found_and_stops(own_folder: Stack) -> None:
    service = describe_minio(own_folder)
    start_service(own_folder, service)
    try:
        first = find_process(own_folder, "minio")
        start_service(own_folder, service)
        assert first is not None
        assert find_process(own_folder, "minio") == first
    finally:
        stop_service(own_folder, "minio")
    assert find_process(own_folder, "minio") is None
    with pytest.raises(OSError, match="refused"):
        check_service(own_folder, "minio")


def test_run_starts_everything_says_so_and_stops_everything_on_ctrl_c(own_folder: Stack) -> None:
    command = [sys.executable, str(ROOT / "docker" / "stack.py")]
    folder = ["--folder", str(own_folder.folder)]
    with subprocess.Popen([*command, "run", *folder], stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        said = []
        for line in running.stderr:
            said.append(line)
            if "Ctrl-C stops them" in line:
                break
        assert [name for name in NAMES if find_process(own_folder, name) is None] == [], said
        checked = subprocess.run([*command, "check", *folder], capture_output=True, text=True, check=False)
        running.send_signal(signal.SIGINT)
        said += running.stderr.readlines()
    assert (running.returncode, said[-1]) == (0, "stack: stopped\n")
    assert checked.returncode == 0
    assert [line[:2] for line in checked.stdout.splitlines()] == ["ok"] * 3
    assert [name for name in NAMES if find_process(own_folder, name) is not None] == []


def test_without_its_rules_trino_does_not_start(tmp_path: Path) -> None:
    started = {}
    for missing in ("rules.json", "access-control.properties"):
        started[missing] = other = replace(open_stack(tmp_path / missing, Ports.parse("free")), is_brief=True)
        etc = other.folder / "etc"
        shutil.copytree(ETC, etc)
        (etc / missing).unlink()
        start_service(other, describe_trino(other, etc))
    try:
        for other in started.values():
            wait_until_ended(other, "trino")
    finally:
        for other in started.values():
            stop_service(other, "trino")
    assert "Config file does not exist" in last_words(started["rules.json"], "trino")
    assert "access-control.properties" in last_words(started["access-control.properties"], "trino")
