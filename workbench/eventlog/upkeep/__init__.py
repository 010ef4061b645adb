"""Keeping the log quick, and saying how it stands."""
