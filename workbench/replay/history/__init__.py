"""How one entity's state came to be, event by event and field by field."""
