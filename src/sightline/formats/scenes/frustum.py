"""How cameras are drawn: wire pyramids with the shape of what they see, each in a colour of the rainbow."""

import numpy as np
from jaxtyping import Float, Int

from sightline.model.lens import Lens

WIDTH, HEIGHT = 0.05, 0.1
"""From the axis to a corner, and from the lens to the picture, as shares of the scene's extent; neither is exceeded."""
_BAND = 0.12
"""Width of the wires, as a share of the pyramid."""
_RAINBOW = (
    (0.0, 0.03, 0.215, 0.4, 0.586, 0.77, 0.954, 1.0),
    (1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0),
    (0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0),
    (0.16, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.75),
)
"""Places, and red, green and blue there: red to violet and on to pink, as plotting programs' ``gist_rainbow``."""


def colour(share: float) -> tuple[float, float, float]:
    """Of the rainbow, at 0 to 1: red, green and blue of 0 to 1, as screens take them (sRGB)."""
    places, *channels = _RAINBOW
    red, green, blue = (float(np.interp(share, places, channel)) for channel in channels)
    return red, green, blue


def pyramid(lens: Lens, extent: float) -> tuple[Float[np.ndarray, "13 3"], Int[np.ndarray, "24 3"]]:
    """Corners and triangles, in the frame of glTF's cameras: x right, y up, looking along -z.

    Four bands from the lens to the corners of the picture, and a band along each of its sides.
    """
    (fx, fy), (cx, cy) = lens.focal_px, lens.centre_px
    px = np.array([[0, 0], [lens.width, 0], [lens.width, lens.height], [0, lens.height]], np.float64)
    far = np.column_stack([(px - [cx, cy]) / [fx, -fy], -np.ones(4)])
    size = extent * min(HEIGHT, WIDTH / np.hypot(far[:, 0], far[:, 1]).max())
    inner = far + _BAND * (np.roll(far, -2, axis=0) - far) / 2
    along = far + _BAND * (np.roll(far, -1, axis=0) - far) / 2
    corners = size * np.concatenate([np.zeros((1, 3)), far, inner, along])
    triangles = []
    for k in range(4):
        here, after = 1 + k, 1 + (k + 1) % 4
        triangles += [[here, after, after + 4], [here, after + 4, here + 4]]
        triangles += [[0, here, here + 8], [0, here + 8, here + 4], [0, here + 4, here], [here, here + 8, here + 4]]
    return corners, np.array(triangles)
