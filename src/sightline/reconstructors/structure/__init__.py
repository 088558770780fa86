"""The parts of structure from motion: features, matches, cameras and points."""
