"""Deltas: what an AI proposed against what people made of it."""
