"""The video pipeline: files and streams to JPEG pictures on a shared volume."""
