"""How good tracks are, against the truth."""
