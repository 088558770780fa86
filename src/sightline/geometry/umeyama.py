"""Similarities: turns, shifts and a scale, that lay one set of points upon another.

Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (1991).
"""

from typing import Final

import numpy as np
from jaxtyping import Float

from sightline.geometry.rigid import Rigid, moved

Similar = Float[np.ndarray, "4 4"]
"""Takes homogeneous points of one frame to those of another, keeping angles; its left part is a scaled rotation."""

_TRIALS: Final = 200
_LINE: Final = 0.02
"""Points spread less than this share of their length across it are on a line."""


def umeyama(xyz_a: Float[np.ndarray, "n 3"], xyz_b: Float[np.ndarray, "n 3"]) -> Similar:
    """``b_from_a`` with the least sum of squared distances; NaN where the points of ``a`` are all in one place."""
    mean_a, mean_b = xyz_a.mean(axis=0), xyz_b.mean(axis=0)
    from_a, from_b = xyz_a - mean_a, xyz_b - mean_b
    u, strength, v = np.linalg.svd(from_b.T @ from_a)
    upright = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(v))])  # eqn. 39
    rotation = (u * upright) @ v
    spread = (from_a**2).sum()
    scale = (strength * upright).sum() / spread if spread > 0 else np.nan  # eqn. 42
    b_from_a = np.eye(4)
    b_from_a[:3, :3] = scale * rotation
    b_from_a[:3, 3] = mean_b - scale * rotation @ mean_a
    return b_from_a


def robust_umeyama(
    xyz_a: Float[np.ndarray, "n 3"], xyz_b: Float[np.ndarray, "n 3"], rng: np.random.Generator
) -> Similar:
    """``b_from_a`` that fits at least half of the points well, whatever the others say.

    Of many similarities through three points each, the one with the least median distance says which points are
    right; these then say the rest. NaN with fewer than three points.
    """
    if len(xyz_a) < 3:
        return np.full((4, 4), np.nan)
    best, least = umeyama(xyz_a, xyz_b), np.inf
    for _ in range(_TRIALS if len(xyz_a) > 3 else 0):
        three = rng.choice(len(xyz_a), 3, replace=False)
        tried = umeyama(xyz_a[three], xyz_b[three])
        median = np.median(np.linalg.norm(moved(tried, xyz_a) - xyz_b, axis=1))
        if median < least:
            best, least = tried, float(median)
    for _ in range(3):
        far = np.linalg.norm(moved(best, xyz_a) - xyz_b, axis=1)
        right = far <= max(2.5 * 1.4826 * float(np.median(far)), 1e-12)  # a deviation, were the errors normal
        best = umeyama(xyz_a[right], xyz_b[right])
    return best


def posed_alike(cam_from_a: Float[np.ndarray, "n 4 4"], cam_from_b: Float[np.ndarray, "n 4 4"]) -> Similar:
    """``b_from_a`` for the same cameras in both frames: the turn from how they look, scale and shift from where.

    Unlike where they stand alone, this is sure for cameras on a line, and for two. NaN where all stand in one place.
    """
    u, _, v = np.linalg.svd(np.einsum("nji,njk->ik", cam_from_b[:, :3, :3], cam_from_a[:, :3, :3]))
    turn = (u * np.array([1.0, 1.0, np.linalg.det(u @ v)])) @ v
    eyes_a, eyes_b = (-np.einsum("nji,nj->ni", poses[:, :3, :3], poses[:, :3, 3]) for poses in (cam_from_a, cam_from_b))
    mean_a, mean_b = eyes_a.mean(axis=0), eyes_b.mean(axis=0)
    turned = (eyes_a - mean_a) @ turn.T
    spread = (turned**2).sum()
    scale = (turned * (eyes_b - mean_b)).sum() / spread if spread > 0 else np.nan
    b_from_a = np.eye(4)
    b_from_a[:3, :3] = scale * turn if scale > 0 else np.nan
    b_from_a[:3, 3] = mean_b - b_from_a[:3, :3] @ mean_a
    return b_from_a


def scale_of(b_from_a: Similar) -> float:
    """How many units of ``b`` one unit of ``a`` is."""
    return float(np.cbrt(np.linalg.det(b_from_a[:3, :3])))


def seen_from(cam_from_a: Rigid, b_from_a: Similar) -> Rigid:
    """``cam_from_b``: the same camera, in a camera frame with the unit of ``b``."""
    scale = scale_of(b_from_a)
    turn = b_from_a[:3, :3] / scale
    cam_from_b = np.eye(4)
    cam_from_b[:3, :3] = cam_from_a[:3, :3] @ turn.T
    cam_from_b[:3, 3] = scale * cam_from_a[:3, 3] - cam_from_b[:3, :3] @ b_from_a[:3, 3]
    return cam_from_b


def is_line(xyz: Float[np.ndarray, "n 3"]) -> bool:
    """Whether the points leave open how they are turned: all on one line, or fewer than three."""
    if len(xyz) < 3:
        return True
    strength = np.linalg.svd(xyz - xyz.mean(axis=0), compute_uv=False)
    return bool(strength[1] <= _LINE * strength[0])
