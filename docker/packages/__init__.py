"""The stack from packages: fetch its parts, start them, ask whether they answer, stop them."""
