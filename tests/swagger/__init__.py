"""/docs as a person uses it: every operation is tried once, in a browser."""
