"""Lists and single objects: declared once, read by one statement."""
