"""Filters and assignments, batched."""
