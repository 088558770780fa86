"""Pure geometry of pixels and space."""
