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
    of = [seen.indices[seen.indptr[i] : seen.indptr[i + 1]] for i in range(views)]
    found: list[Int[np.ndarray, " n"]] = []
    for view in range(views):
        others = np.argsort(-common[view], kind="stable")[:_CANDIDATES]
        others = others[common[view, others] >= _LEAST]
        if not scene.views.is_registered[view]:
            others = others[:0]
        worth = [
            _worth(sparse.xyz_scene[np.intersect1d(of[view], of[other])], eyes[view], eyes[other]) for other in others
        ]
        order = np.argsort(-np.array(worth), kind="stable")[:most]
        found.append(others[order])
    return found


def _worth(xyz: Float[np.ndarray, "n 3"], eye: Float[np.ndarray, " 3"], other: Float[np.ndarray, " 3"]) -> float:
    """How much depth there is in common points: their number, less those seen at bad angles."""
    one, two = xyz - eye, xyz - other
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    angle = np.arccos(np.clip((one * two).sum(axis=1) / np.maximum(lengths, 1e-12), -1, 1))
    low, high = _GOOD_RAD
    return float((np.minimum(angle / low, 1) ** 2 * np.minimum(high / np.maximum(angle, 1e-9), 1) ** 2).sum())
