"""Choices and a session in, a View out. Knows no toolkit."""
