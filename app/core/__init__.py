"""What any such API needs: nothing here knows of a shop."""
