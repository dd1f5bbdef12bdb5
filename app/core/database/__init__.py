"""Engines, transactions, column types."""
