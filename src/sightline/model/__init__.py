"""Nouns, in flow order: frame, detections, tracks, camera. Frozen columns of numpy."""
