"""States kept beside the log, and what they make quick."""
