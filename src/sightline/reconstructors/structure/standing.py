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
_ZOOMED: Final = 0.03
"""How much larger things are in the one picture than in the other, at the least, where the lens may have zoomed."""
_LARGER: Final = tuple(np.arange(0.95, 1.09, 0.01).tolist())
"""About the ratio of sizes, what is tried: pictures of one turn differ a little by themselves."""
Xy = Float[np.ndarray, "n 2"]
Spots = tuple[Float[np.ndarray, "_ 2"], Float[np.ndarray, "_ 2"]]


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
    turned = np.array([[_off(one, other, focal, focal) < _CLOSE for one, other in spots] for focal in focals])
    best = turned[turned.mean(axis=1).argmax()]
    if best.mean() >= _NEARLY_ALL:
        return "the camera only turned on the spot, which tells no depth; step aside between pictures"
    rest = [spots[at] for at in np.flatnonzero(~best)]
    if _all_but(rest, int((1 - _NEARLY_ALL) * len(spots))):
        return "the camera only zoomed, or came straight up to something flat, which tells no depth; step aside instead"
    return None


def _all_but(spots: Sequence[Spots], most: int) -> bool:
    """Whether a turn and a zoom explain these pairs, except for so many at most."""
    left = most
    for one, other in spots:
        left -= not _zooms(one, other)
        if left < 0:
            return False
    return True


def _zooms(one: Xy, other: Xy) -> bool:
    """Whether a turn explains it through a lens that zoomed in or out meanwhile."""
    ratio = float(np.median(np.abs(other - np.median(other, axis=0))) / np.median(np.abs(one - np.median(one, axis=0))))
    if not np.isfinite(ratio) or abs(ratio - 1) < _ZOOMED:
        return False
    return any(_off(one, other, f, f * ratio * more) < _CLOSE for f in _FOCALS[::2] for more in _LARGER)


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


def _off(one: Xy, other: Xy, focal: float, other_focal: float) -> float:
    """How far spots are from where the best turn puts them, in the middle; all lengths are shares of the longer side.

    Source: Kabsch, "A solution for the best rotation to relate two sets of vectors" (1976).
    """
    rays = np.column_stack([one / focal, np.ones(len(one))])
    others = np.column_stack([other / other_focal, np.ones(len(other))])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    u, _, v = np.linalg.svd(others.T @ rays)
    turned = rays @ ((u * np.array([1.0, 1.0, np.linalg.det(u @ v)])) @ v).T
    return other_focal * float(np.median(np.linalg.norm(turned - others, axis=1)))
