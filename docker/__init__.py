"""The stack: compose.yaml for Docker, stack.py for machines without it."""
