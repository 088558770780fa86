"""Array types, and read-only views of them."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

Image = UInt8[np.ndarray, "h w 3"]
"""A picture, red first."""
Boxes = Float[np.ndarray, "n 4"]
"""Left, top, right, bottom in pixels; the picture's top-left corner is (0, 0), its first pixel's centre (0.5, 0.5)."""
Scores = Float[np.ndarray, " n"]
"""Confidence in [0, 1]."""
Labels = Int[np.ndarray, " n"]
"""Index into a list of class names."""
Looks = Float[np.ndarray, "n d"]
"""Appearance as vectors of length one; NaN: nothing was seen."""
Warp = Float[np.ndarray, "3 3"]
"""Takes homogeneous pixels of one picture to those of another."""


def readonly(array: np.ndarray) -> np.ndarray:
    """A view of ``array`` that cannot be written; the caller's array is left as it was."""
    view: np.ndarray[Any, Any] = array.view()
    view.setflags(write=False)
    return view
