"""Raw records come in: one file a format, and the synthetic demo log."""
