"""The declared subset of Trino's SQL: read, typed, and refused where it cannot hold on both engines."""
