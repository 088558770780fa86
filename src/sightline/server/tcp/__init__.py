"""Reconstruction over plain TCP: log in, send images or a video, get a GLB.

The messages are those of an older service, so that its clients go on working; ``docs/guides/tcp.md`` has them.
"""
