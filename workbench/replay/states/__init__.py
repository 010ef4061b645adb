"""The states of all entities at a cut."""
