"""The append-only Iceberg table of events and what is kept beside it."""
