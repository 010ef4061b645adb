"""The commands of stack.py: fetch, up, run, check, env, down."""

import argparse
import contextlib
import shlex
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from docker.packages.health import TITLES, check_service, wait_until_healthy
from docker.packages.layout import HOST, Ports, Stack, StackError, default_folder, open_stack, read_configuration
from docker.packages.parts import check_parts, fetch_parts
from docker.packages.services import NAMES, describe_services, find_process, start_service, stop_service

WORDS = {
    "fetch": "get the parts into the cache: downloads by pip and Maven, MinIO built by Go",
    "up": "start what does not run, wait until every part answers, and leave it running",
    "run": "the same, and stop all of it on Ctrl-C",
    "check": "ask every part, and say what does not answer",
    "env": "print the variables a client needs, as export lines",
    "down": "stop what up started",
}
EXAMPLES = """examples:
  docker/stack.py up
  eval "$(docker/stack.py env)" && workbench ingest datasets/samples/loan-desk.ndjson --into lake
  docker/stack.py up --folder /tmp/second --ports free
  docker/stack.py check --folder /tmp/second
  docker/stack.py down --folder /tmp/second --erase
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed with one sentence, 2 wrong usage."""
    given = build_parser().parse_args(arguments)
    try:
        COMMANDS[given.command](find_stack(given), given)
    except StackError as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def find_stack(given: argparse.Namespace) -> Stack:
    """Return the stack a command is about; only up and run make one."""
    folder = (given.folder or default_folder()).expanduser()
    if given.command in {"check", "env", "down"} and not (folder / "stack.json").is_file():
        where = f" --folder {given.folder}" if given.folder else ""
        raise StackError(f"No stack was ever started in {folder}. Start one with docker/stack.py up{where}.")
    ports = getattr(given, "ports", None)
    return open_stack(folder, Ports.parse(ports) if ports else None)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="stack.py",
        description="Trino, an Iceberg REST catalog and MinIO from their packages, on 127.0.0.1, without Docker.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, words in WORDS.items():
        command = commands.add_parser(name, help=words, description=words.capitalize() + ".", epilog=EXAMPLES)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        where = f"data, logs and secrets of the stack (default: {default_folder()})"
        command.add_argument("--folder", type=Path, help=where)
        ports = "TRINO,CATALOG,MINIO or free (default: those it last had, at first 8080,8181,9000)"
        if name in {"up", "run"}:
            command.add_argument("--ports", help=ports)
        if name == "down":
            command.add_argument("--erase", action="store_true", help="remove the folder too, with all its data")
    return parser


def say(words: str) -> None:
    """Print one line of progress at once."""
    print(f"stack: {words}", file=sys.stderr, flush=True)


def fetch(_stack: Stack, _given: argparse.Namespace) -> None:
    """Have every part in the cache."""
    fetch_parts(say)
    say("every part is in the cache")


def up(stack: Stack, _given: argparse.Namespace) -> None:
    """Start the stack and leave it running."""
    start_stack(stack, say)
    say(f"every part answers; data and logs are in {stack.folder}")
    where = "" if stack.folder == default_folder().resolve() else f" --folder {shlex.quote(str(stack.folder))}"
    say(f'next: eval "$(docker/stack.py env{where})"; to stop it: docker/stack.py down{where}')


def run(stack: Stack, given: argparse.Namespace) -> None:
    """Start the stack, and stop it on Ctrl-C or when told to end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        start_stack(stack, say)
        say("every part answers; Ctrl-C stops them")
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(0.5)
                find_dead(stack)
    finally:
        down(stack, given)


def find_dead(stack: Stack) -> None:
    """Raise StackError when a part has ended by itself."""
    dead = [TITLES[name] for name in NAMES if find_process(stack, name) is None]
    if dead:
        raise StackError(f"{' and '.join(dead)} ended; the logs are in {stack.folder}")


def check(stack: Stack, _given: argparse.Namespace) -> None:
    """Ask every part, print each answer, and raise StackError naming those that do not answer."""
    silent = []
    for name in NAMES:
        try:
            print(f"ok      {check_service(stack, name)}")
        except (OSError, StackError) as error:
            print(f"failed  {TITLES[name]}: {error}")
            silent.append(TITLES[name])
    if silent:
        raise StackError(
            f"{' and '.join(silent)} did not answer. Start it with docker/stack.py up; logs are in {stack.folder}."
        )


def env(stack: Stack, _given: argparse.Namespace) -> None:
    """Print export lines for a shell."""
    for name, value in stack.client_variables().items():
        print(f"export {name}={shlex.quote(value)}")


def down(stack: Stack, given: argparse.Namespace) -> None:
    """Stop the stack, the last started first."""
    for name in reversed(NAMES):
        stop_service(stack, name)
    say("stopped")
    if getattr(given, "erase", False):
        shutil.rmtree(stack.folder)


def start_stack(stack: Stack, say: Callable[[str], None]) -> None:
    """Start every part that does not run, in order, each waited for before the next."""
    fetch_parts(say)
    check_parts()
    for service in describe_services(stack):
        if find_process(stack, service.name) is None:
            check_port(stack, service.name)
            start_service(stack, service)
            if service.name == "trino":
                (stack.folder / "trino.configuration").write_text(read_configuration(), encoding="utf-8")
        wait_until_healthy(stack, service.name, say)


def check_port(stack: Stack, name: str) -> None:
    """Raise StackError when somebody else listens where a server of ours is to listen."""
    port = getattr(stack.ports, name)
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        raise StackError(
            f"{TITLES[name]} cannot listen on {HOST}:{port} ({error.strerror}). "
            "Stop what listens there, or choose other ports: --folder OTHER --ports free."
        ) from error


def is_ready(stack: Stack) -> bool:
    """Whether every part answers, and Trino reads what this repository says now."""
    kept = stack.folder / "trino.configuration"
    try:
        for name in NAMES:
            check_service(stack, name)
    except (OSError, StackError):
        return False
    return kept.is_file() and kept.read_text(encoding="utf-8") == read_configuration()


COMMANDS: dict[str, Callable[[Stack, argparse.Namespace], None]] = {
    "fetch": fetch,
    "up": up,
    "run": run,
    "check": check,
    "env": env,
    "down": down,
}
