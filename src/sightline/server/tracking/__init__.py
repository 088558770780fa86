"""The multi-camera service: sites are watched, and everybody is told live who is where."""
