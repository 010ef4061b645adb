"""What became of a text, word by word, and measures of that."""
