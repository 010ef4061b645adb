"""The command line: the same words as the session, from a shell."""

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="workbench", description="Ask an append-only event log.")
    parser.parse_args(arguments)
    parser.print_help(sys.stderr)
    return 2
