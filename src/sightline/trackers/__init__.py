"""Which detections are the same thing over time."""
