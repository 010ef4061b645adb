"""What a writer knows of the log before a commit, kept beside it."""
