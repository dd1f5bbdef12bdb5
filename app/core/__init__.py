"""Infrastructure that any such API needs; it imports nothing of the shop."""
