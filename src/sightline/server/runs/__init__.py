"""The run server: pictures or a video in, a scene to look at out."""
