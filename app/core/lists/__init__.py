"""Lists and single objects: each is declared once and read by one statement."""
