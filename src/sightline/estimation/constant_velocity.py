"""What is known of many things' places and speeds, from places measured one after the other.

Each axis moves on its own at nearly constant speed, pushed by accelerations that hold for one step. All paths are
walked together, so the work in Python grows with the longest path and not with their number.

Source: Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation (2001): filter eqn. 5.2.3,
piecewise constant white acceleration eqn. 6.3.2-4, smoother (RTS) eqn. 8.6.2. The result equals that of the textbook
filter with joint matrices and the update in Joseph form; two by two, the short form loses nothing.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation.smoothing import Axes, hindsight, steps

Places = Float[np.ndarray, "n 3"]
Times = Float[np.ndarray, " n"]
Starts = Int[np.ndarray, " p"]
_MOST_REFUSED = 3
"""After so many looks refused in a row, the next one is believed: the thing did move."""


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


def filtered(xyz_m: Places, t_s: Times, starts: Starts, noise: Noise) -> tuple[Axes, Bool[np.ndarray, " n"]]:
    """What is believed at each row, given that row and those before it on its path; and which rows were believed.

    Rows are sorted by path, then by time; ``starts`` says where each path begins. Of the five parts, the first two
    are place and speed, the others the variances of both and their covariance between.
    """
    n = len(t_s)
    belief = np.empty((5, n, 3))
    belief[0, starts], belief[1, starts] = xyz_m[starts], 0.0
    belief[2, starts], belief[3, starts] = noise.first_place_m**2, 0.0
    belief[4, starts] = noise.first_speed_mps**2
    believed = np.ones(n, bool)
    refused = np.zeros(n, np.int64)
    for rows in steps(starts, n):
        forecast = predicted(belief[:, rows - 1], (t_s[rows] - t_s[rows - 1])[:, None], noise)
        surprise = xyz_m[rows] - forecast[0]
        spread = forecast[2] + noise.measured_m2
        gain = forecast[2:4] / spread
        if noise.gate is not None:
            far = (surprise * surprise / spread).sum(axis=1) > noise.gate
            far &= refused[rows - 1] < _MOST_REFUSED
            refused[rows] = np.where(far, refused[rows - 1] + 1, 0)
            believed[rows] = ~far
            gain[:, far] = 0.0
        forecast[4] -= gain[1] * forecast[3]
        forecast[:2] += gain * surprise
        forecast[2:4] -= gain * forecast[2]
        belief[:, rows] = forecast
    return belief, believed


def smoothed(belief: Axes, t_s: Times, starts: Starts, noise: Noise) -> Axes:
    """What is believed at each row, given its whole path; ``belief`` is what ``filtered`` gave."""
    after = belief.copy()
    for rows in reversed(list(steps(starts, len(t_s)))):
        dt_s = (t_s[rows] - t_s[rows - 1])[:, None]
        now = belief[:, rows - 1]
        after[:, rows - 1] = hindsight(now, predicted(now, dt_s, noise), after[:, rows], dt_s)
    return after


def predicted(belief: Axes, dt_s: Float[np.ndarray, "n 1"], noise: Noise) -> Axes:
    """The belief ``dt_s`` later, nothing having been seen."""
    at, speed, var, cov, speed_var = belief
    later = np.empty_like(belief)
    pushed = (noise.sigma_a * dt_s) ** 2
    later[0] = at + dt_s * speed
    later[1] = speed
    later[2] = var + dt_s * (2 * cov + dt_s * speed_var) + pushed * (dt_s * dt_s / 4)
    later[3] = cov + dt_s * speed_var + pushed * (dt_s / 2)
    later[4] = speed_var + pushed
    return later
