"""Drone flights with exact truth: paths, cameras, things on the ground, and logs as real aircraft write them."""
