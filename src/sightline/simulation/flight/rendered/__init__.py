"""Flights filmed: a made-up town from the air, its people and cars with exact truth, as video and as log."""
