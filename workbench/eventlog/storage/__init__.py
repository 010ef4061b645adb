"""The catalog and the object store as the log needs them."""
