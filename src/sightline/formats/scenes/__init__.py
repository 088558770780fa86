"""Scenes in files: one format, one module; and which points of a scene to show."""

from typing import Literal

Form = Literal["ply", "colmap", "nerfstudio"]
"""What a scene may be given as, besides GLB and NPZ."""
