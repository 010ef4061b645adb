"""Run one task here, or several each in a process of its own, and print one JSON line for each."""

import argparse
import signal
import subprocess
import sys
from importlib import import_module

from benchmarks import TASKS
from benchmarks.harness import (
    PeerMissingError,
    Scale,
    StackMissingError,
    UnequalAnswersError,
    missing_line,
    skipped_line,
    task_line,
)


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when every goal holds, 1 when one is missed or could not be measured, 2 for wrong usage.

    A task that needs the stack where there is none is skipped, says so, and counts as no miss.
    """
    options = read_arguments(arguments)
    # Ended from outside, a task still removes its temporary folder.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    scale = Scale.SMOKE if options.smoke else Scale.FULL if options.full else Scale.DEFAULT
    names = options.names or list(TASKS)
    if len(names) == 1:
        return run_task(names[0], scale)
    # A process each: what one task has imported, cached and grown does not weigh on the next.
    return max(run_apart(name, scale) for name in names)


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(TASKS)}; none means all")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--smoke", action="store_true", help="small sizes, at most 60 s a task")
    sizes.add_argument("--full", action="store_true", help="the largest sizes; logs are built once and kept")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in TASKS]
    if unknown:
        parser.error(f"there is no task {unknown[0]!r}; there are {', '.join(TASKS)}")
    return options


def run_task(name: str, scale: Scale) -> int:
    """Run one task in this process, print its line, and return the exit status."""
    try:
        parts = import_module(TASKS[name]).run(scale)
    except StackMissingError as error:
        print(f"SKIPPED: {name}: {error}", file=sys.stderr)
        print(skipped_line(name, str(error), scale), flush=True)
        return 0
    except (PeerMissingError, UnequalAnswersError) as error:
        print(f"NOT MEASURED: {name}: {error}", file=sys.stderr)
        print(missing_line(name, str(error), scale), flush=True)
        return 1
    print(task_line(name, parts, scale), flush=True)
    return 0 if all(part.holds for part in parts) else 1


def run_apart(name: str, scale: Scale) -> int:
    """Run one task in a process of its own; a crash is a missed goal with its last line as the reason."""
    flags = [] if scale is Scale.DEFAULT else [f"--{scale}"]
    command = [sys.executable, "-m", "benchmarks", name, *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    line = done.stdout.strip() or missing_line(name, f"the task ended with status {done.returncode}", scale)
    print(line, flush=True)
    return min(done.returncode, 1) if done.returncode >= 0 else 1


if __name__ == "__main__":
    sys.exit(main())
