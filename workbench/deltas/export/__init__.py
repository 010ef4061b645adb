"""Deltas as rows that trainers read: the rules, the split, the files."""
