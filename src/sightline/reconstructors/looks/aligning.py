"""Parts of one scene, each in a frame and a unit of its own, laid upon each other by what they share.

Source: Umeyama 1991; weights as in Huber, "Robust estimation of a location parameter" (1964); the closing of loops as
in Strasdat et al., "Scale drift-aware large scale monocular SLAM" (2010), on similarities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import spsolve
from scipy.spatial.transform import Rotation

from sightline.geometry.rigid import moved
from sightline.geometry.umeyama import Similar

_ROUNDS: Final = 30
_HUBER: Final = 1.345
"""In deviations: where a distance stops to count for its square."""
_NORMAL: Final = 1.4826
"""A deviation, per median distance of errors that are normal."""
_FAR: Final = 6.0
"""In deviations: what is farther off is of something else."""

_WELL: Final = 0.1
"""Of a point's distance: what is laid nearer than this is laid well."""
_LOOSE: Final = 0.3
"""A joint bent by more radians, units of a part or powers of e counts less and less."""
_STIFF: Final = 0.1
"""No joint may be bent by more than this to close a loop."""
_DAMPING: Final = 1e-3
_STEP: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """How part ``second`` lies to part ``first``."""

    first: int
    """Number of a part."""
    second: int
    """Number of another."""
    first_from_second: Similar
    """The similarity between their frames."""
    weight: float = 1.0
    """How far it is trusted."""


def laid(
    xyz_a: Float[np.ndarray, "n 3"], xyz_b: Float[np.ndarray, "n 3"], weight: Float[np.ndarray, " n"]
) -> tuple[Similar, float]:
    """``b_from_a`` that lays most of the points upon each other, and the share of them that it lays well.

    Distances are taken relative to the points' distance from ``b``'s origin, as depth errs. NaN where fewer than three
    points have a weight.
    """
    known = (weight > 0) & np.isfinite(xyz_a).all(axis=1) & np.isfinite(xyz_b).all(axis=1)
    a, b, weight = xyz_a[known].astype(np.float64), xyz_b[known].astype(np.float64), weight[known].astype(np.float64)
    if len(a) < 3:
        return np.full((4, 4), np.nan), 0.0
    far = np.maximum(np.linalg.norm(b, axis=1), 1e-12)
    trusted = weight / far**2
    b_from_a = weighted_umeyama(a, b, trusted)
    for _ in range(_ROUNDS):
        off = np.linalg.norm(moved(b_from_a, a) - b, axis=1) / far
        deviation = max(_NORMAL * float(np.median(off)), 1e-12)
        near = off < _FAR * deviation
        pull = np.where(near, np.minimum(1.0, _HUBER * deviation / np.maximum(off, 1e-300)), 0.0)
        before, b_from_a = b_from_a, weighted_umeyama(a, b, trusted * pull)
        if np.abs(b_from_a - before).max() < 1e-12 * np.abs(b_from_a).max():
            break
    off = np.linalg.norm(moved(b_from_a, a) - b, axis=1) / far
    return b_from_a, float((off < _WELL).mean())


def weighted_umeyama(
    xyz_a: Float[np.ndarray, "n 3"], xyz_b: Float[np.ndarray, "n 3"], weight: Float[np.ndarray, " n"]
) -> Similar:
    """``b_from_a`` with the least weighted sum of squared distances."""
    share = weight[:, None] / weight.sum()
    mean_a, mean_b = (share * xyz_a).sum(axis=0), (share * xyz_b).sum(axis=0)
    from_a, from_b = xyz_a - mean_a, xyz_b - mean_b
    u, strength, v = np.linalg.svd((share * from_b).T @ from_a)
    upright = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(v))])  # eqn. 39
    rotation = (u * upright) @ v
    spread = float((share * from_a**2).sum())
    scale = float((strength * upright).sum()) / spread if spread > 0 else np.nan  # eqn. 42
    b_from_a = np.eye(4)
    b_from_a[:3, :3] = scale * rotation
    b_from_a[:3, 3] = mean_b - scale * rotation @ mean_a
    return b_from_a


def chained(joints: Sequence[Joint], n: int) -> Float[np.ndarray, "n 4 4"]:
    """``first_from_part`` of n parts, each joined to the one before."""
    placed = np.tile(np.eye(4), (n, 1, 1))
    for joint in sorted((j for j in joints if j.second == j.first + 1), key=lambda j: j.first):
        placed[joint.second] = placed[joint.first] @ joint.first_from_second
    return placed


def closed(joints: Sequence[Joint], n: int) -> Float[np.ndarray, "n 4 4"]:
    """``first_from_part`` of n parts that bend all joints as little as can be; part 0 stays.

    Joints of neighbours place the parts; further ones close loops. A loop that could only be closed by bending joints
    more than they may be is left open.
    """
    placed = chained(joints, n)
    used = list(joints)
    while loops := [joint for joint in used if joint.second != joint.first + 1]:
        chain = _Chain.of(used)
        found = _least_bent(chain, placed)
        if np.linalg.norm(chain.left(found), axis=1).max() <= _STIFF:
            return found
        ahead = np.linalg.norm(chain.left(placed), axis=1)
        used.remove(max(loops, key=lambda joint: ahead[used.index(joint)]))
    return placed


def _least_bent(chain: "_Chain", placed: Float[np.ndarray, "n 4 4"]) -> Float[np.ndarray, "n 4 4"]:
    """The parts, moved until no step makes the joints less bent: Levenberg and Marquardt's method."""
    damping, cost, kept = _DAMPING, np.inf, placed
    normal, slope = chain.normal(placed)
    for _ in range(_ROUNDS):
        now = chain.cost(placed)
        if now < cost:
            kept, cost, damping = placed, now, damping / 10
            normal, slope = chain.normal(placed)
        else:
            damping *= 10
        step = spsolve(normal + damping * diags_array(normal.diagonal() + 1e-12), -slope).reshape(-1, 7)
        placed = np.concatenate([kept[:1], kept[1:] @ _similar(step)])
        if np.abs(step).max() < 1e-9:
            break
    return placed if chain.cost(placed) < cost else kept


@dataclass(frozen=True, slots=True, eq=False)
class _Chain:
    """Joints as columns."""

    second_from_first: Float[np.ndarray, "j 4 4"]
    first: Int[np.ndarray, " j"]
    second: Int[np.ndarray, " j"]
    weight: Float[np.ndarray, " j"]

    @classmethod
    def of(cls, joints: Sequence[Joint]) -> "_Chain":
        """The joints."""
        inverse = np.array([np.linalg.inv(joint.first_from_second) for joint in joints])
        first, second = (np.array([getattr(joint, side) for joint in joints]) for side in ("first", "second"))
        return cls(inverse, first, second, np.array([joint.weight for joint in joints], np.float64))

    def cost(self, placed: Float[np.ndarray, "n 4 4"]) -> float:
        """What all joints are bent, by Cauchy's loss."""
        return float(self.weight @ np.log1p((np.linalg.norm(self.left(placed), axis=1) / _LOOSE) ** 2))

    def left(self, placed: Float[np.ndarray, "n 4 4"]) -> Float[np.ndarray, "j 7"]:
        """By how much every joint is bent."""
        return self._bent(placed[self.first], placed[self.second])

    def _bent(self, first: Float[np.ndarray, "j 4 4"], second: Float[np.ndarray, "j 4 4"]) -> Float[np.ndarray, "j 7"]:
        return _numbers(self.second_from_first @ np.linalg.inv(first) @ second)

    def normal(self, placed: Float[np.ndarray, "n 4 4"]) -> tuple[Any, Float[np.ndarray, " m"]]:
        """Gauss and Newton's matrix (sparse) and slope; every part but the first has seven numbers."""
        left = self.left(placed)
        pull = self.weight / (1 + (np.linalg.norm(left, axis=1) / _LOOSE) ** 2)
        n_joints, m = len(left), 7 * (len(placed) - 1)
        rows, columns, values = [], [], []
        for side, ends in enumerate((self.first, self.second)):
            for number in range(7):
                step = _similar(np.eye(7)[None, number] * _STEP)
                both = [placed[self.first], placed[self.second]]
                both[side] = both[side] @ step
                column = 7 * (ends - 1) + number
                inside = ends > 0
                rows.append((7 * np.arange(n_joints)[:, None] + np.arange(7))[inside].ravel())
                columns.append(np.repeat(column[inside], 7))
                values.append(((self._bent(both[0], both[1]) - left) / _STEP)[inside].ravel())
        shape = (7 * n_joints, m)
        slopes = coo_array(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape
        ).tocsc()
        pulled = slopes.T @ diags_array(np.repeat(pull, 7))
        return (pulled @ slopes).tocsc(), pulled @ left.ravel()


def _similar(numbers: Float[np.ndarray, "k 7"]) -> Float[np.ndarray, "k 4 4"]:
    """Turn (3), shift (3) and logarithm of the scale as similarities."""
    similar = np.tile(np.eye(4), (len(numbers), 1, 1))
    similar[:, :3, :3] = np.exp(numbers[:, 6, None, None]) * Rotation.from_rotvec(numbers[:, :3]).as_matrix()
    similar[:, :3, 3] = numbers[:, 3:6]
    return similar


def _numbers(similar: Float[np.ndarray, "k 4 4"]) -> Float[np.ndarray, "k 7"]:
    """The other way."""
    scale = np.cbrt(np.linalg.det(similar[:, :3, :3]))[:, None]
    turn = Rotation.from_matrix(similar[:, :3, :3] / scale[..., None]).as_rotvec()
    return np.concatenate([turn, similar[:, :3, 3], np.log(scale)], axis=1)
