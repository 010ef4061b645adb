"""Views of Deltas: proposals, what became of them, and why."""
