"""The fold: events in, the state of an entity out."""
