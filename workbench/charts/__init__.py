"""Frames in, `altair.Chart` out. Pure: no engine, no toolkit, nothing switched on globally."""
