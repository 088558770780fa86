"""Scenes in files: one format, one module; and which points of a scene to show."""
