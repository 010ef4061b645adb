#!/usr/bin/env python3
"""The stack of compose.yaml from packages, without Docker: `docker/stack.py --help` says how."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from docker.packages.commands import main

    sys.exit(main())
