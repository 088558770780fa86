"""Whether the camera went anywhere: pictures from one spot have no depth in them, however well they match.

Mappers make a scene of such pictures all the same, with a lens that is none.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from sightline.reconstructors.structure.agreement import Verified
from sightline.reconstructors.structure.album import Seen
from sightline.reconstructors.structure.matching import Matches

_PAIRS: Final = 25
"""About so many pairs are looked at, evenly among all."""
_SPOTS: Final = 300
"""Matches of a pair that are looked at, at most."""
_FOCALS: Final = tuple(np.geomspace(0.4, 1.6, 24).tolist())
"""Lenses that are tried; focal lengths times the picture's longer side. Through longer ones every shift is a turn."""
_ROUGHLY: Final = (0.9, 0.95, 1.0, 1.05, 1.1)
"""Where a focal length is known, shares of it that are tried."""
_CLOSE: Final = 0.002
"""How far from where a turn puts it a spot may be, in the middle; share of the longer side."""
_NEARLY_ALL: Final = 0.9
"""Share of the pairs that are turns, where the camera only turned."""
Xy = Float[np.ndarray, "n 2"]


def standing(seen: Sequence[Seen], matches: Verified) -> str | None:
    """Why there is no depth in these pictures, and what to do; None: there may be. ``matches`` count them from 1."""
    step = max(1, len(matches) // _PAIRS)
    pairs = list(matches.items())[::step]
    if not pairs:
        return None
    spots = [_centred(seen, pair, rows) for pair, rows in pairs]
    if np.mean([np.median(np.linalg.norm(one - other, axis=1)) < _CLOSE for one, other in spots]) > _NEARLY_ALL:
        return "all pictures show the same from the same place; move the camera between pictures"
    known = [focal for focal in map(_focal, seen) if focal is not None]
    focals = [share * float(np.median(known)) for share in _ROUGHLY] if known else _FOCALS
    turned = np.array([[_off(one, other, focal) < _CLOSE for one, other in spots] for focal in focals])
    if turned.mean(axis=1).max() < _NEARLY_ALL:
        return None
    return "the camera only turned on the spot, which tells no depth; step aside between pictures"


def _focal(one: Seen) -> float | None:
    """As far as it is known, times the longer side."""
    focal_px = one.shot.focal_px if one.shot.lens is None else one.shot.lens.focal_px[0]
    return None if focal_px is None else focal_px / max(one.width, one.height)


def _centred(seen: Sequence[Seen], pair: tuple[int, int], rows: Matches) -> tuple[Xy, Xy]:
    """Where matching spots are, from the middle of each picture, in shares of its longer side."""
    rows = rows[:: max(1, len(rows) // _SPOTS)]
    pictures = [seen[number - 1] for number in pair]
    one, other = (
        (picture.features.xy_px[rows[:, at]] - np.array([picture.width, picture.height]) / 2)
        / max(picture.width, picture.height)
        for at, picture in enumerate(pictures)
    )
    return one, other


def _off(one: Xy, other: Xy, focal: float) -> float:
    """How far spots are from where the best turn of a lens puts them, in the middle; shares of the longer side.

    Source: Kabsch, "A solution for the best rotation to relate two sets of vectors" (1976).
    """
    rays, others = (np.column_stack([xy / focal, np.ones(len(xy))]) for xy in (one, other))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    u, _, v = np.linalg.svd(others.T @ rays)
    turned = rays @ ((u * np.array([1.0, 1.0, np.linalg.det(u @ v)])) @ v).T
    return focal * float(np.median(np.linalg.norm(turned - others, axis=1)))
