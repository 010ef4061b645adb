"""What docker/README.md tells one to type exists, and where nothing can be had the stack's tests say so and pass."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from docker.packages.commands import build_parser as build_stack_parser
from workbench.cli.parser import build_parser

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker" / "README.md").read_text(encoding="utf-8")
LINES = [line.partition("  #")[0].strip() for line in TEXT.splitlines()]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("workbench ")])
def test_every_workbench_command_can_be_typed(line: str) -> None:
    assert build_parser().parse_args(shlex.split(line)[1:]).run


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith(("docker/stack.py", "eval"))])
def test_every_stack_command_can_be_typed(line: str) -> None:
    (words,) = re.findall(r"docker/stack\.py ([a-z -]+)", line)
    assert build_stack_parser().parse_args(words.split()).command


def test_every_file_of_the_table_stands_there() -> None:
    table = re.findall(r"^\| (`.*) \|.*\|$", TEXT, re.MULTILINE)
    named = [name for cell in table for name in re.findall(r"`([^`]+)`", cell)]
    assert len(named) > 8
    folders = (ROOT / "docker", ROOT / "docker" / "trino" / "etc")
    assert [name for name in named if not any(list(folder.glob(name)) for folder in folders)] == []


def test_where_the_parts_cannot_be_had_the_stack_tests_say_so_and_pass(tmp_path: Path) -> None:
    test = "tests/stack/test_services.py::test_every_part_answers_and_trino_reads_what_the_repository_says"
    command = [sys.executable, "-m", "pytest", "-q", "-m", "stack", "-p", "no:cacheprovider", test]
    variables = os.environ | {"PATH": "/nonexistent", "STACK_CACHE": str(tmp_path / "stack")}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "STACK NOT TESTED: The stack cannot be had here: go and mvn not found" in done.stdout
