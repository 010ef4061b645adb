"""Read the log back: one declared subset of Trino's SQL, run by DuckDB in process or by Trino."""
