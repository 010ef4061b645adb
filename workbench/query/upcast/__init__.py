"""Payloads of old schema versions read as their current one, in SQL."""
