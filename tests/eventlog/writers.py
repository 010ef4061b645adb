"""Writers as processes of their own: `python -m tests.eventlog.writers JOB FOLDER NAME COUNT [NAMESPACE]`.

With a namespace the log is that of the catalog `lake`, and each writer a machine of its own, with its own cache.
Each says what was acknowledged in a file beside the log, one JSON line an append, and goes on from there when it was
killed and is started again.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import msgspec

from tests.eventlog.logs import append, make_events, open_folder
from workbench.config import LogSettings, Settings
from workbench.errors import ExpectedVersionError
from workbench.eventlog import NativeLog

ROOT = Path(__file__).resolve().parents[2]
SIZE = 5


def acknowledged(folder: Path, name: str) -> list[list[int]]:
    """Return the positions of each append that a writer was told of, in order."""
    path = folder.parent / f"{name}.acks"
    if not path.exists():
        return []
    lines = path.read_text(encoding="ascii").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def acknowledge(folder: Path, name: str, answer: object) -> None:
    """Write down what a writer was told, before it goes on."""
    with (folder.parent / f"{name}.acks").open("a", encoding="ascii") as stream:
        stream.write(json.dumps(answer) + "\n")


def open_machine(folder: Path, namespace: str, **log_settings: object) -> NativeLog:
    """Return the log of the catalog `lake` as a machine would open it whose cache is in ``folder``."""
    settings = msgspec.convert({"namespace": namespace, **log_settings}, LogSettings)
    return NativeLog(Settings(folder=folder, name="lake", catalog="lake", log=settings))


def open_writer(folder: Path, name: str, namespace: str | None) -> NativeLog:
    """Return the log in a folder, or the one in the lake."""
    return open_folder(folder) if namespace is None else open_machine(folder / name, namespace)


def append_batches(folder: Path, name: str, count: int, namespace: str | None = None) -> None:
    """Append ``count`` batches, those that were acknowledged before apart."""
    log = open_writer(folder, name, namespace)
    for number in range(len(acknowledged(folder, name)), count):
        written = append(log, make_events(number * SIZE, SIZE, name=name))
        acknowledge(folder, name, written.positions.tolist())


def race_for_versions(folder: Path, name: str, count: int, namespace: str | None = None) -> None:
    """Try to be the one who writes each version of one stream; write down the versions won."""
    log = open_writer(folder, name, namespace)
    won = []
    for version in range(count):
        while log.head().last < version - 1:
            time.sleep(0.001)
        try:
            append(log, make_events(version, 1, name=name, stream_id="account-1"), expected=version - 1)
        except ExpectedVersionError:
            continue
        won.append(version)
    acknowledge(folder, name, won)


JOBS = {"append": append_batches, "race": race_for_versions}


def start_writer(
    job: str, folder: Path, name: str, count: int, namespace: str | None = None
) -> "subprocess.Popen[bytes]":
    """Start a writer as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-m", "tests.eventlog.writers", job, str(folder), name, str(count)]
    command += [] if namespace is None else [namespace]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)


def run_and_kill(
    folder: Path, *, writers: int, count: int, pause: float, seed: int, namespace: str | None = None
) -> int:
    """Run writers to their end while one at random is killed every ``pause`` seconds; return how often one was.

    None is killed before three appends went through since the last time, or a busy machine would never come to an end.
    """
    chance = Random(seed)  # noqa: S311 - a seed repeats the choice
    names = [f"w{number}" for number in range(writers)]
    running = {name: start_writer("append", folder, name, count, namespace) for name in names}
    killed, seen, due = 0, 3, time.monotonic() + pause
    try:
        while running:
            for name in [name for name, process in running.items() if process.poll() is not None]:
                _restart(running, folder, name, count, namespace)
            done = sum(len(acknowledged(folder, name)) for name in names)
            if running and done >= seen and time.monotonic() >= due:
                chance.choice(list(running.values())).kill()
                killed, seen, due = killed + 1, done + 3, time.monotonic() + chance.uniform(0.5, 1.5) * pause
            time.sleep(0.02)
    finally:
        for process in running.values():
            process.kill()
            process.communicate()
    return killed


def _restart(
    running: "dict[str, subprocess.Popen[bytes]]", folder: Path, name: str, count: int, namespace: str | None
) -> None:
    process = running.pop(name)
    _, message = process.communicate()
    if process.returncode == -signal.SIGKILL:
        running[name] = start_writer("append", folder, name, count, namespace)
    elif process.returncode:
        raise AssertionError(message.decode())


if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), *sys.argv[5:6])
