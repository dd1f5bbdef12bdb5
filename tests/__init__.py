"""The tests: a real database, real tokens, nothing switched off."""
