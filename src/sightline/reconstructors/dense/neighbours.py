"""Which views see the same things from places apart, by the points that they share."""

from typing import Final

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_matrix

from sightline.model.scene import Scene

_GOOD_RAD: Final = (np.radians(6.0), np.radians(20.0))
"""Angles at a point between its views: below, depth is vague; above, the views look too different."""
_LEAST: Final = 10
"""Fewer common points do not make views neighbours."""
_CANDIDATES: Final = 30
_CELLS: Final = 12
"""Parts of a picture across and down that each count the same, however many points are in them."""


def neighbours(scene: Scene, most: int) -> list[Int[np.ndarray, " n"]]:
    """For each view the others to compare it with, best first; none for a view without a place."""
    views, sparse = len(scene.views), scene.sparse
    point = np.repeat(np.arange(len(sparse)), np.diff(sparse.track_start))
    ones = np.ones(len(point), np.float32)
    seen = csr_matrix((ones, (point, sparse.track_view)), shape=(len(sparse), views)).tocsc()
    seen.data[:] = 1
    common = (seen.T @ seen).toarray()
    common[:, ~scene.views.is_registered] = 0
    np.fill_diagonal(common, 0)
    eyes = -np.einsum("kji,kj->ki", scene.views.cam_from_scene[:, :3, :3], scene.views.cam_from_scene[:, :3, 3])
    seen = seen.tocsr()
    found: list[Int[np.ndarray, " n"]] = []
    for view in range(views):
        others = np.argsort(-common[view], kind="stable")[:_CANDIDATES]
        others = others[common[view, others] >= _LEAST]
        if not len(others) or not scene.views.is_registered[view]:
            found.append(others[:0])
            continue
        mine = np.flatnonzero(sparse.track_view == view)
        rows, shares = point[mine], _shares(sparse.track_xy_px[mine])
        is_seen = seen[rows][:, others].toarray() > 0
        worth = [_worth(sparse.xyz_scene[rows], eyes[view], eyes[other]) for other in others]
        found.append(others[_covering(np.stack(worth, axis=1) * is_seen, shares, most)])
    return found


def _shares(px: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    """What each point stands for: its part of the picture, divided among those in it."""
    low, high = px.min(axis=0), px.max(axis=0)
    cell = np.floor((px - low) / np.maximum(high - low, 1e-9) * (_CELLS - 1e-9)).astype(int) @ [1, _CELLS]
    return 1 / np.bincount(cell)[cell]


def _covering(worth: Float[np.ndarray, "n s"], shares: Float[np.ndarray, " n"], most: int) -> list[int]:
    """Columns that together show most of the points well, best first: what is shown already counts less."""
    chosen: list[int] = []
    shown = np.zeros(len(worth))
    for _ in range(min(most, worth.shape[1])):
        gain = shares @ (np.exp(-shown)[:, None] * -np.expm1(-worth))
        gain[chosen] = -1
        chosen.append(int(np.argmax(gain)))
        shown += worth[:, chosen[-1]]
    return chosen


def _worth(
    xyz: Float[np.ndarray, "n 3"], eye: Float[np.ndarray, " 3"], other: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, " n"]:
    """How well depth is told at points from two places: 1 at good angles, less at others."""
    one, two = xyz - eye, xyz - other
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    angle = np.arccos(np.clip((one * two).sum(axis=1) / np.maximum(lengths, 1e-12), -1, 1))
    low, high = _GOOD_RAD
    return np.minimum(angle / low, 1) ** 2 * np.minimum(high / np.maximum(angle, 1e-9), 1) ** 2
