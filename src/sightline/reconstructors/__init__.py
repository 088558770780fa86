"""Pictures to scenes: cameras, depth and points."""
