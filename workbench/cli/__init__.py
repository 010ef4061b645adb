"""The command line: the same views and words as the session, from a shell."""

import sys
from collections.abc import Sequence

from workbench.cli.parser import build_parser
from workbench.errors import WorkbenchError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed with one sentence, 2 wrong usage."""
    chosen = build_parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except WorkbenchError as error:
        from workbench.cli.output import escape_text

        sys.stderr.write(f"workbench: {escape_text(str(error))}\n")
        return 1
    except BrokenPipeError:
        # The reader of a pipe (`| head`) has left. Point stdout away from it, or the interpreter complains at exit.
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        return 130
