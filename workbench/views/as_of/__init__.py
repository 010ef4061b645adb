"""Views of As of: one entity, or a field of all of them, at any moment."""
