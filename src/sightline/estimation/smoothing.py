"""What the Kalman filter believes of many recorded paths at once, of the past alone and of past and future.

Rows are sorted by path, then by time; ``starts`` says where each path begins. All paths are walked together,
first rows first, so the work in Python grows with the longest path and not with their number.

Source: Rauch, Tung, Striebel (1965); Bar-Shalom et al. (2001) eqn. 8.6.2, written out for blocks of 2x2.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from sightline.estimation.kalman import Belief, Motion, begun, predicted, updated

Rows = Int[np.ndarray, " k"]
Axes = Float[np.ndarray, "5 _ _"]
"""As ``Belief``, of any number of axes, rows or axes first."""


def filtered(
    measured: Float[np.ndarray, "n 4"], t_s: Float[np.ndarray, " n"], starts: Int[np.ndarray, " p"], motion: Motion
) -> Belief:
    """What is believed at each row, given that row and those before it on its path."""
    belief = np.empty((5, *measured.shape))
    belief[:, starts] = begun(measured[starts], motion)
    for rows in steps(starts, len(t_s)):
        dt_s = (t_s[rows] - t_s[rows - 1])[:, None]
        belief[:, rows] = updated(predicted(belief[:, rows - 1], dt_s, motion), measured[rows], motion)
    return belief


def smoothed(belief: Belief, t_s: Float[np.ndarray, " n"], starts: Int[np.ndarray, " p"], motion: Motion) -> Belief:
    """What is believed at each row, given its whole path; ``belief`` is what ``filtered`` gave."""
    after = belief.copy()
    for rows in reversed(list(steps(starts, len(t_s)))):
        dt_s = (t_s[rows] - t_s[rows - 1])[:, None]
        forecast = predicted(belief[:, rows - 1], dt_s, motion)
        after[:, rows - 1] = hindsight(belief[:, rows - 1], forecast, after[:, rows], dt_s)
    return after


def reversed_in_time(
    measured: Float[np.ndarray, "n 4"], t_s: Float[np.ndarray, " n"], starts: Int[np.ndarray, " p"], motion: Motion
) -> Belief:
    """What is believed at each row, given that row and those after it on its path."""
    n = len(t_s)
    ends = np.append(starts[1:], n)
    belief = filtered(measured[::-1], -t_s[::-1], (n - ends)[::-1], motion)[:, ::-1].copy()
    belief[1] *= -1
    belief[3] *= -1
    return belief


def steps(starts: Int[np.ndarray, " p"], n: int) -> Iterator[Rows]:
    """Second rows of all paths, third rows of all that have one, and so on."""
    lengths = np.diff(np.append(starts, n))
    order = np.argsort(-lengths, kind="stable")
    longest_first, falling = starts[order], -lengths[order]
    for k in range(1, int(lengths.max(initial=0))):
        yield longest_first[: np.searchsorted(falling, -k, side="left")] + k


def hindsight(now: Axes, forecast: Axes, later: Axes, dt_s: Float[np.ndarray, "_ _"]) -> Axes:
    """The belief ``now``, whose ``forecast`` was made for ``dt_s`` later, told what turned out ``later``."""
    _, _, var, cov, speed_var = now
    _, _, f_var, f_cov, f_speed_var = forecast
    det = f_var * f_speed_var - f_cov**2
    a, b = var + dt_s * cov, cov + dt_s * speed_var  # rows of P F': (a, cov), (b, speed_var)
    g00, g01 = (a * f_speed_var - cov * f_cov) / det, (cov * f_var - a * f_cov) / det
    g10, g11 = (b * f_speed_var - speed_var * f_cov) / det, (speed_var * f_var - b * f_cov) / det
    d = later - forecast
    after = np.empty_like(now)
    after[0] = now[0] + g00 * d[0] + g01 * d[1]
    after[1] = now[1] + g10 * d[0] + g11 * d[1]
    after[2] = var + g00**2 * d[2] + 2 * g00 * g01 * d[3] + g01**2 * d[4]
    after[3] = cov + g00 * g10 * d[2] + (g00 * g11 + g01 * g10) * d[3] + g01 * g11 * d[4]
    after[4] = speed_var + g10**2 * d[2] + 2 * g10 * g11 * d[3] + g11**2 * d[4]
    return after
