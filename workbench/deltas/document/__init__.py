"""What becomes of a text inside the document that took it."""
