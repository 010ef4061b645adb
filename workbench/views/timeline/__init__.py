"""Views of the timeline: what happened, and when."""
