"""One picture as its luma and chroma, for those who encode it again and need no colours mixed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from sightline.model.frame import Moment


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """One decoded picture in BT.601 luma and chroma, 8 bits each, upright.

    The planes may be strided views into a decoder's memory: read them, and do not keep them.
    """

    moment: Moment
    """When it was taken."""
    y: UInt8[np.ndarray, "h w"]
    """Luma."""
    u: UInt8[np.ndarray, "hc wc"]
    """Blue difference; half as large along each side where the video is so, rounded up."""
    v: UInt8[np.ndarray, "hc wc"]
    """Red difference, as large as ``u``."""
    is_full_range: bool
    """Whether luma spans 0 to 255, as JPEG wants; else 16 to 235, as most video has it."""
