"""Places on earth, and directions there: pure functions."""
