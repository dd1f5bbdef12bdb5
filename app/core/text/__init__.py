"""Text that people type: normalised, and folded to be searched."""
