"""Normalising text that people type, and folding it for search."""
