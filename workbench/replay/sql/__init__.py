"""A projection as a statement that both engines run."""
