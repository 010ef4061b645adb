"""The fixtures of the stack, for its faults at full size."""

from tests.stack.conftest import machines, namespace, stack

__all__ = ["machines", "namespace", "stack"]
