"""The recipe for places with several cameras: all of them watched in step, everybody placed on the map."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.model.identities import Sightings
from sightline.pipeline.track import Sight

_LATE = 1e-3
"""How much of a step a picture may be early: timestamps are rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class Post:
    """One camera of a site."""

    name: str
    """What it is called."""
    sights: Iterator[Sight]
    """Its pictures with who is followed in them."""
    offset_s: float = 0.0
    """What its own clock lacks."""


@dataclass(frozen=True, slots=True, eq=False)
class Instant:
    """One moment of a site."""

    index: int
    """Position on the site's grid of moments, from 0."""
    t_s: float
    """Seconds on the site's clock."""
    sights: Mapping[str, Sight]
    """By camera, what was seen; cameras without a picture at this moment are left out."""


def in_step(posts: Sequence[Post], fps: float) -> Iterator[Instant]:
    """The pictures of all cameras, put together by their own times on a grid of ``fps`` moments per second.

    A moment that no camera has a picture of is left out; the last picture of the last camera ends it. Each camera
    has one picture waiting at most. Of several pictures of a camera at one moment the first counts.
    """
    grids = {post.name: _gridded(post, fps) for post in posts}
    waiting = {name: first for name, grid in grids.items() if (first := next(grid, None)) is not None}
    while waiting:
        now = min(index for index, _ in waiting.values())
        sights = {name: sight for name, (index, sight) in waiting.items() if index == now}
        yield Instant(now, now / fps, sights)
        for name in sights:
            following = next(grids[name], None)
            if following is None:
                del waiting[name]
            else:
                waiting[name] = following


def _gridded(post: Post, fps: float) -> Iterator[tuple[int, Sight]]:
    """The pictures of one camera with their place on the grid, none twice, none before the site's beginning.

    A source that samples gives the first picture at or after each of its own moments, which so keep their order.
    """
    last, shift = -1, round(post.offset_s * fps)
    for sight in post.sights:
        index = int(np.floor(sight.frame.moment.t_s * fps + _LATE)) + shift
        if index > last:
            last = index
            yield index, sight


def rows_of(sightings: Sightings, cameras: Sequence[str]) -> dict[str, np.ndarray]:
    """Which rows are whose, for every camera."""
    index = {name: place for place, name in enumerate(sightings.cameras)}
    return {name: np.flatnonzero(sightings.camera == index.get(name, -1)) for name in cameras}
