"""The stack from packages answers, keeps to loopback, and passes the very health checks compose.yaml declares."""

from docker.packages.commands import is_ready
from docker.packages.health import run_statement
from docker.packages.layout import Stack


def test_every_part_answers_and_trino_reads_what_the_repository_says(stack: Stack) -> None:
    assert is_ready(stack)
    assert run_statement(stack, "SELECT 1") == [[1]]
