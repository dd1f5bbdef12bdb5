"""What any such API needs, tested by itself."""
