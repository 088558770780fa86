"""Places with several cameras: which there are, one sub-video after the other, and what is told meanwhile."""
