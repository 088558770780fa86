"""Transformers that see many pictures at once: encoder, alternating attention, heads; torch, and no more than it."""
