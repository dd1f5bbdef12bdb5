"""JSON built by the database."""
