"""Programs that take longer than a test, or compare more than one revision."""
