"""Figures over many deltas, counted by the engine."""
