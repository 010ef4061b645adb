"""Read the log back: one declared subset of Trino's SQL, run by DuckDB in process or by Trino.

``subset`` reads a statement and refuses what would not hold on both; ``duckdb`` and ``trino`` each write it in their
own words and run it; ``upcast`` reads payloads of old schema versions as current ones.
"""
