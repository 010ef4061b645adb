"""Logs and tables that others write."""
