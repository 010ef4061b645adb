"""The log's tables as engines read them."""
