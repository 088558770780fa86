"""The camera's own motion, told from what was tracked: what nearly everything in the picture does at once."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from sightline.estimation.kalman import Motion, measured_from_xyxy
from sightline.estimation.smoothing import filtered, smoothed
from sightline.model.tracks import Tracks
from sightline.trackers.paths import Paths

_FEWEST = 4
"""Things that must be seen moving before anything is called common."""


def common(moves_px: Float[np.ndarray, "k d"]) -> Float[np.ndarray, " d"]:
    """The motion that things share: their median, the nearer to 0 the less certain it is; 0 for fewer than 4.

    Certain is what is large beside its own error: the shrinkage is move^2 / (move^2 + error^2), axis by axis,
    with twice the median deviation over root k as error.
    """
    if len(moves_px) < _FEWEST:
        return np.zeros(moves_px.shape[1])
    middle = len(moves_px) // 2
    move = np.sort(moves_px, axis=0)[middle]
    spread = np.sort(np.abs(moves_px - move), axis=0)[middle]
    return move**3 / (move**2 + 4 * spread**2 / len(moves_px) + 1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class Sway:
    """Where the picture has been shifted to since the first one."""

    frame_index: Int[np.ndarray, " f"]
    """Pictures in which it is known, rising."""
    xy_px: Float[np.ndarray, "f 2"]
    """How far right and down."""

    @classmethod
    def of(cls, paths: Paths) -> "Sway":
        """From recorded paths: the sum of what their smoothed centres have in common from picture to picture.

        Only shifts are told, neither zoom nor roll. What all things share although the camera rests, as a crowd
        that walks one way, is taken for the camera's; without it no path changes against another.
        """
        rows = paths.rows
        belief = filtered(measured_from_xyxy(rows.xyxy_px), rows.t_s, paths.first, Motion())
        centre = smoothed(belief, rows.t_s, paths.first, Motion())[0, :, :2]
        known, picture = np.unique(rows.frame_index, return_inverse=True)
        same = np.diff(paths.spread(np.arange(len(paths)))) == 0
        later = np.flatnonzero(same & (np.diff(picture) == 1)) + 1
        later = later[np.argsort(picture[later], kind="stable")]
        cuts = np.searchsorted(picture[later], np.arange(1, len(known)))
        moves = [common(part) for part in np.split(centre[later] - centre[later - 1], cuts)]
        return cls(known, np.cumsum(moves, axis=0))

    def added(self, tracks: Tracks, times: float) -> Tracks:
        """The tracks shifted along with the picture, or, ``times`` -1, as a camera at rest would have seen them."""
        xy = [np.interp(tracks.frame_index, self.frame_index, self.xy_px[:, axis]) for axis in (0, 1)]
        return replace(tracks, xyxy_px=tracks.xyxy_px + times * np.stack(xy * 2, axis=1))
