"""The desk: its routes, and in a browser all that people do with it (`make desk`)."""
