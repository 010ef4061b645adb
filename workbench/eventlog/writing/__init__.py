"""Events come in: planned, committed once, and known for certain to be there."""
