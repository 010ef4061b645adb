"""Events become proposals, each with what was decided of it."""
