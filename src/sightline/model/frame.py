"""One picture, when it was taken, and what is known of a video before it is read."""

from dataclasses import dataclass

from sightline.model.arrays import Image, Warp, readonly


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """When one picture of one camera was taken: all that a tracker needs to know of it."""

    camera: str
    """Which camera; a track is known by (camera, number)."""
    index: int
    """Position in the stream, from 0, counting pictures that were not asked for."""
    t_s: float
    """Seconds since the stream began, from its own timestamps, never ``index / fps``."""
    px_from_before: Warp | None = None
    """How still things moved in the picture since the moment before; None when nobody looked."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture of one camera."""

    moment: Moment
    """When it was taken."""
    rgb: Image
    """The picture, upright."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rgb", readonly(self.rgb))


@dataclass(frozen=True, slots=True)
class Footage:
    """What a source says of itself before it is read; None where it cannot tell."""

    name: str
    """Camera name: the file's stem, the folder's name, or the stream's host and path."""
    width: int
    """Pixels across, upright."""
    height: int
    """Pixels down, upright."""
    fps: float | None
    """Mean pictures per second that will be yielded, after sampling."""
    duration_s: float | None
    """Length of the part that will be read; None for a live stream."""
    n_frames: int | None
    """Roughly how many pictures will be yielded, for progress bars."""
