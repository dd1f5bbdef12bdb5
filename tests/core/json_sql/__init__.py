"""The library that has the database build JSON."""
