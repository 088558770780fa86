"""What is known of many things' places and speeds, from places measured one after the other.

Each axis moves on its own at nearly constant speed, pushed by accelerations that hold for one step. All paths are
walked together, so the work in Python grows with the longest path and not with their number.

Source: Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation (2001): filter eqn. 5.2.3,
piecewise constant white acceleration eqn. 6.3.2-4, smoother (RTS) eqn. 8.6.2. The result equals that of the textbook
filter with joint matrices and the update in Joseph form; two by two, the short form loses nothing.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation.smoothing import Axes, hindsight, steps

Places = Float[np.ndarray, "n 3"]
Times = Float[np.ndarray, " n"]
Starts = Int[np.ndarray, " p"]
_MOST_REFUSED = 3
"""After so many looks refused in a row, the next one is believed: the thing did move."""
_FEWEST_LOOKS = 30
_LEAST_M = 0.02
_PUSHES = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Accelerations tried: from a stroll to an emergency brake."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How things move and how well they are seen."""

    sigma_a: float = 0.5
    """Standard deviation of the acceleration of one step, metres per second squared."""
    sigma_meas_h: float = 5.0
    """Of a measured place, east and north each, metres."""
    sigma_meas_v: float = 2.0
    """Of a measured height, metres."""
    gate: float | None = 16.27
    """Squared distance, in deviations, beyond which a look is refused: once in a thousand by chance. None: never."""
    first_place_m: float = 5.0
    """Standard deviation of the first place."""
    first_speed_mps: float = 2.0
    """Standard deviation of the speed of something seen once."""

    @property
    def measured_m2(self) -> Float[np.ndarray, " 3"]:
        """Variances of a measured place."""
        return np.array([self.sigma_meas_h, self.sigma_meas_h, self.sigma_meas_v]) ** 2


def believed(
    xyz_m: Places, t_s: Times, starts: Starts, noise: Noise, *, smooth: bool
) -> tuple[Float[np.ndarray, "5 n 3"], Bool[np.ndarray, " n"]]:
    """What is believed at each row, and which rows' looks were.

    Given that row and those before it on its path, or where ``smooth`` the whole path. Rows are sorted by path, then
    by time; ``starts`` says where each path begins. Of the five parts, the first two are place and speed, the others
    the variance of the place, its covariance with the speed, and the variance of the speed.
    """
    n = len(t_s)
    walk = _Walk(starts, n)
    belief, used = _forward(np.ascontiguousarray(xyz_m[walk.rows].T), t_s[walk.rows], walk, noise)
    if smooth:
        _backward(belief, t_s[walk.rows], walk, noise)
    out, looked = np.empty((5, n, 3)), np.empty(n, bool)
    out[:, walk.rows] = belief.transpose(0, 2, 1)
    looked[walk.rows] = used
    return out, looked


def fitted(xyz_m: Places, t_s: Times, starts: Starts, base: Noise) -> Noise:
    """``base`` with the noise that these paths themselves show, east and north; ``base`` itself for too few looks.

    How much looks tremble shows in their second differences, in which even motion cancels; how much things
    accelerate is what makes the looks most likely then.
    """
    if len(t_s) < _FEWEST_LOOKS:
        return base
    inner = np.ones(len(t_s), bool)
    inner[starts] = False
    inner[np.append(starts[1:], len(t_s)) - 1] = False
    rows = np.flatnonzero(inner)
    if len(rows) < _FEWEST_LOOKS:
        return base
    before, after = t_s[rows] - t_s[rows - 1], t_s[rows + 1] - t_s[rows]
    share = (before / (before + after))[:, None]
    bend = xyz_m[rows, :2] - (1 - share) * xyz_m[rows - 1, :2] - share * xyz_m[rows + 1, :2]
    scale = np.sqrt(1 + share**2 + (1 - share) ** 2)
    tremble = 1.4826 * float(np.median(np.abs(bend / scale)))
    measured = replace(base, sigma_meas_h=min(max(tremble, _LEAST_M), base.sigma_meas_h))
    pushes = [replace(measured, sigma_a=sigma_a, gate=None) for sigma_a in _PUSHES]
    best = max(pushes, key=lambda noise: _likelihood(xyz_m, t_s, starts, noise))
    return replace(measured, sigma_a=best.sigma_a)


def _likelihood(xyz_m: Places, t_s: Times, starts: Starts, noise: Noise) -> float:
    """Logarithm of how likely these looks are, east and north, but for a constant. Source: eqn. 5.2.3-18 ff."""
    walk = _Walk(starts, len(t_s))
    xyz, at_s = np.ascontiguousarray(xyz_m[walk.rows].T), t_s[walk.rows]
    belief, _ = _forward(xyz, at_s, walk, noise)
    total = 0.0
    for before, now in walk.pairs:
        forecast = predicted(belief[..., before], (at_s[now] - at_s[before])[None], noise)
        spread = forecast[2, :2] + noise.sigma_meas_h**2
        total -= float(((xyz[:2, now] - forecast[0, :2]) ** 2 / spread + np.log(spread)).sum()) / 2
    return total


class _Walk:
    """All first rows, all second rows, and so on, one group after the other, of longer paths first.

    A row of the next group has its path's earlier row at the same place in the group before: neighbours in memory.
    """

    def __init__(self, starts: Starts, n: int) -> None:
        lengths = np.diff(np.append(starts, n))
        first = starts[np.argsort(-lengths, kind="stable")]
        groups = [first, *steps(starts, n)]
        sizes = [len(group) for group in groups]
        begins = np.cumsum([0, *sizes]).tolist()
        self.rows: Int[np.ndarray, " n"] = np.concatenate(groups).astype(np.int64)
        """The order."""
        self.pairs = [
            (slice(begins[k - 1], begins[k - 1] + sizes[k]), slice(begins[k], begins[k] + sizes[k]))
            for k in range(1, len(groups))
        ]
        """Of each group but the first: the earlier rows of its paths, and its own."""
        self.n_first = len(first)
        """How many paths there are."""


def _forward(
    xyz_m: Float[np.ndarray, "3 n"], t_s: Times, walk: _Walk, noise: Noise
) -> tuple[Float[np.ndarray, "5 3 n"], Bool[np.ndarray, " n"]]:
    """The filter."""
    n = len(t_s)
    belief = np.empty((5, 3, n))
    begin = slice(0, walk.n_first)
    belief[0, :, begin], belief[1, :, begin], belief[3, :, begin] = xyz_m[:, begin], 0.0, 0.0
    belief[2, :, begin], belief[4, :, begin] = noise.first_place_m**2, noise.first_speed_mps**2
    used, refused = np.ones(n, bool), np.zeros(n, np.int64)
    measured_m2 = noise.measured_m2[:, None]
    for before, now in walk.pairs:
        forecast = predicted(belief[..., before], (t_s[now] - t_s[before])[None], noise)
        surprise = xyz_m[:, now] - forecast[0]
        spread = forecast[2] + measured_m2
        gain = forecast[2:4] / spread
        if noise.gate is not None:
            far = (surprise * surprise / spread).sum(axis=0) > noise.gate
            far &= refused[before] < _MOST_REFUSED
            refused[now] = np.where(far, refused[before] + 1, 0)
            used[now] = ~far
            gain[..., far] = 0.0
        forecast[4] -= gain[1] * forecast[3]
        forecast[:2] += gain * surprise
        forecast[2:4] -= gain * forecast[2]
        belief[..., now] = forecast
    return belief, used


def _backward(belief: Float[np.ndarray, "5 3 n"], t_s: Times, walk: _Walk, noise: Noise) -> None:
    """The smoother, in place."""
    for before, now in reversed(walk.pairs):
        dt_s = (t_s[now] - t_s[before])[None]
        then = belief[..., before]
        belief[..., before] = hindsight(then, predicted(then, dt_s, noise), belief[..., now], dt_s)


def predicted(belief: Axes, dt_s: Float[np.ndarray, "1 n"], noise: Noise) -> Axes:
    """The belief ``dt_s`` later, nothing having been seen; axes first."""
    at, speed, var, cov, speed_var = belief
    later = np.empty_like(belief)
    pushed = (noise.sigma_a * dt_s) ** 2
    later[0] = at + dt_s * speed
    later[1] = speed
    later[2] = var + dt_s * (2 * cov + dt_s * speed_var) + pushed * (dt_s * dt_s / 4)
    later[3] = cov + dt_s * speed_var + pushed * (dt_s / 2)
    later[4] = speed_var + pushed
    return later
