"""Video in, whereabouts out.

    source -> Frame -> Detections -> Tracks -> files, annotated video, evaluation
                 |         ^           ^
                 +-> stabilizer: how the picture moved since the frame before

Read in this order: ``model`` (the nouns), ``ports`` (the plugs), ``pipeline`` (the flow).
"""

__version__ = "0.1.0"
