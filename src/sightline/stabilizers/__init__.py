"""How the camera itself moved from picture to picture."""
