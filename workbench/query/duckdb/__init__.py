"""The embedded engine: the subset rewritten for DuckDB, and run within its limits."""
