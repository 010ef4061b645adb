"""The engine of a cluster: the subset written for Trino, sent, and its rows fetched."""
