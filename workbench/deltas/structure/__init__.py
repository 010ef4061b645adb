"""What became of a JSON value, path by path."""
