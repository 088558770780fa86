"""Tracks that others made of a drone's video, brought into the video's own time and pixels; never by a silent guess."""

from dataclasses import replace

import numpy as np

from sightline.errors import FormatError, OptionError
from sightline.model.tracks import Tracks
from sightline.pipeline.drone import Clip

Size = tuple[int, int]
DOCUMENTED: Size = (1280, 720)
"""What boxes are in that say nothing, as the service's clients know it."""
_SLACK = 1.02
"""Trackers let boxes stand a little out of the picture."""
_FULL = 0.9
"""Boxes that reach so far across a picture fill it."""
_OVER_S = 0.25
"""How much longer than the video its tracks may seem to last without a word: containers round."""
_LATE_S, _LATE = 1.0, 1.03
"""How much longer than the video its tracks may seem to last: seconds, and a share."""


def timed(tracks: Tracks, fps: float | None, clip: Clip) -> tuple[Tracks, tuple[str, ...]]:
    """The tracks with a time in every row, ``frame_index / fps`` where they say none; and what is to be said.

    Raises:
        OptionError: some rows have no time and no rate is known.
        FormatError: they would run on long after the video's end; tells the rate that would fit.
    """
    timeless = np.isnan(tracks.t_s)
    if not timeless.any():
        return tracks, _checked(tracks, clip, "their own times")
    if fps is None:
        raise OptionError("the tracks tell no times; give tracking_fps, the pictures per second that were tracked")
    filled = replace(tracks, t_s=np.where(timeless, tracks.frame_index / fps, tracks.t_s), extra=dict(tracks.extra))
    return filled, _checked(filled, clip, f"{fps:g} pictures per second")


def _checked(tracks: Tracks, clip: Clip, how: str) -> tuple[str, ...]:
    if not len(tracks) or not clip.duration_s:
        return ()
    last_s, n = float(tracks.t_s.max()), int(tracks.frame_index.max()) + 1
    if last_s > max(clip.duration_s + _LATE_S, clip.duration_s * _LATE):
        raise FormatError(
            f"the tracks do not fit the video: by {how} they run to {last_s:.1f} s, it lasts {clip.duration_s:.1f} s; "
            f"give tracking_fps ({n / clip.duration_s:.2f} would fit)"
        )
    if last_s > clip.duration_s + _OVER_S:
        over = f"by {how} the tracks run on {last_s - clip.duration_s:.1f} s behind the video's end"
        return (f"{over}; is tracking_fps right? {n / clip.duration_s:.2f} would fit",)
    if last_s < clip.duration_s / 2:
        return (
            f"by {how} the tracks end at {last_s:.1f} s of a video of {clip.duration_s:.1f} s; is tracking_fps right?",
        )
    return ()


def box_size(
    tracks: Tracks, clip: Clip, *, stated: Size | None, told: Size | None, otherwise: Size
) -> tuple[Size, tuple[str, ...]]:
    """The size of the pictures that the boxes are in; and what is to be said.

    ``stated`` by the caller, else ``told`` by the file, else the one that the boxes fit: the video's own or the
    documented 1280 x 720. Where they fit both, the smaller one if they fill it, else ``otherwise``, with a warning.

    Raises:
        FormatError: they fit no such picture.
    """
    known = stated or told
    own = (clip.width, clip.height)
    reach = _reach(tracks)
    if known is not None:
        if not _holds(known, reach):
            raise FormatError(_unfit(reach, [known]))
        return known, ()
    fitting = [size for size in dict.fromkeys((own, DOCUMENTED)) if _holds(size, reach)]
    if not fitting:
        raise FormatError(_unfit(reach, [own, DOCUMENTED]))
    if len(fitting) == 1:
        return fitting[0], ()
    small = min(fitting, key=lambda size: size[0] * size[1])
    if reach[0] >= _FULL * small[0] or reach[1] >= _FULL * small[1]:
        return small, ()
    said = f"boxes may be in pixels of {_x(fitting[0])} or of {_x(fitting[1])}; taken as {_x(otherwise)}"
    return otherwise, (f"{said}: give source_resolution",)


def in_video_px(tracks: Tracks, size: Size, clip: Clip) -> tuple[Tracks, tuple[str, ...]]:
    """The tracks with boxes in the video's pixels; and what is to be said."""
    if size == (clip.width, clip.height):
        return tracks, ()
    across, down = clip.width / size[0], clip.height / size[1]
    scaled = replace(tracks, xyxy_px=tracks.xyxy_px * np.array([across, down] * 2), extra=dict(tracks.extra))
    if abs(across / down - 1) < 0.02:
        return scaled, ()
    shape = f"boxes are in pictures {_x(size)}, the video is {_x((clip.width, clip.height))}, which is another shape"
    return scaled, (f"{shape}; taken as stretched, not as cut",)


def _reach(tracks: Tracks) -> tuple[float, float]:
    """How far right and down boxes go; 0 where there are none."""
    corners = tracks.xyxy_px[np.isfinite(tracks.xyxy_px).all(axis=1)]
    return (float(corners[:, 2].max()), float(corners[:, 3].max())) if len(corners) else (0.0, 0.0)


def _holds(size: Size, reach: tuple[float, float]) -> bool:
    return reach[0] <= _SLACK * size[0] and reach[1] <= _SLACK * size[1]


def _unfit(reach: tuple[float, float], sizes: list[Size]) -> str:
    there = " and ".join(map(_x, dict.fromkeys(sizes)))
    return f"boxes reach to ({reach[0]:.0f}, {reach[1]:.0f}) pixels, beyond pictures of {there}; give source_resolution"


def _x(size: Size) -> str:
    return f"{size[0]} x {size[1]}"
