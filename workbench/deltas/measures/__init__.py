"""What is measured of decisions, and how it is kept beside the log."""
