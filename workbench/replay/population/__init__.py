"""The values of a field over all entities."""
