"""Where a video lies in a log, from how the picture slid over the ground and how the log says that it must have.

Both the camera's turning and its flight move the picture; what they make of its middle is compared.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from sightline.estimation.lag import Match, matched
from sightline.geometry.warp import warped
from sightline.locators.eyes import Eyes
from sightline.locators.ground import Ground
from sightline.model.frame import Moment
from sightline.model.lens import Lens

_STEP_S = 0.05
_WITHIN_S = 4.0
_SMOOTH_S = 0.5
"""Over which the log's word on motion is smoothed: its angles come in steps of a tenth of a degree."""


def told_flow(eyes: Eyes, lens: Lens, ground_m: float) -> Float[np.ndarray, "n 2"]:
    """Pixels per second, across and down, that still ground in the picture's middle moves; NaN at the horizon."""
    forward = eyes.enu_from_cam[:, :, 2]
    sink = np.where(-forward[:, 2] > 0.05, -forward[:, 2], np.nan)
    reach = forward * ((eyes.eye_enu_m[:, 2] - ground_m) / sink)[:, None]
    spin = np.einsum("nij,nj->ni", eyes.turning, eyes.rates_rad_s)
    past = eyes.velocity_enu_mps + np.cross(spin, reach)
    side = -np.einsum("nij,ni->nj", eyes.enu_from_cam, past)
    return side[:, :2] * lens.focal_px / np.linalg.norm(reach, axis=1, keepdims=True)


def seen_flow(moments: Sequence[Moment], lens: Lens) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n 2"]]:
    """Times half-way between pictures, and how the middle moved from one to the next, in pixels per second."""
    pairs = [(a, b) for a, b in pairwise(moments) if b.px_from_before is not None]
    middle = np.array([[lens.width / 2, lens.height / 2]])
    t_s = np.array([(a.t_s + b.t_s) / 2 for a, b in pairs])
    moved = [(warped(b.px_from_before, middle)[0] - middle[0]) / (b.t_s - a.t_s) for a, b in pairs]  # type: ignore[arg-type]
    return t_s, np.array(moved).reshape(-1, 2)


def synced(ground: Ground, lens: Lens, moments: Sequence[Moment], ground_m: float = 0.0) -> Match:
    """What to add to the video's seconds, beyond what ``ground`` adds, so that log and pictures move alike.

    ``moments`` have their camera's motion filled in, as a stabilizer tells it. Believe the match if it ``is_sure``:
    a camera that moves evenly, or not at all, looks the same at any time.
    """
    t_s, seen = seen_flow(moments, lens)
    if not len(t_s):
        return Match(float("nan"), 0.0, 0.0, float("inf"))
    told_s = np.arange(t_s[0] - _WITHIN_S - _SMOOTH_S, t_s[-1] + _WITHIN_S + _SMOOTH_S, _STEP_S)
    told = told_flow(ground.eyes(told_s), lens, ground_m)
    weight = np.hanning(round(_SMOOTH_S / _STEP_S) + 1)
    told = np.stack([np.convolve(column, weight / weight.sum(), "valid") for column in told.T], axis=1)
    edge = len(weight) // 2
    told_s = told_s[edge : len(told_s) - edge]
    return matched(t_s, seen, told_s, told, _WITHIN_S)
