"""Cameras that are being decoded: one process each, and who keeps them running."""
