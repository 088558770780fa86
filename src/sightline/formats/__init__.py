"""Tracks in files: one format, one module, both directions."""
