"""Pictures of a video to image files."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sightline.model.planes import Planes


@dataclass(frozen=True, slots=True)
class Extracted:
    """What came of it."""

    n_pictures: int
    """Pictures handed on."""
    n_lost: int
    """Pictures that were damaged or missing."""
    last_t_s: float
    """Time of the last one, in the stream's own seconds; NaN where there was none."""


def extract(
    pictures: Iterable[Planes],
    put: Callable[[Planes], None],
    *,
    n_lost: Callable[[], int],
    on_picture: Callable[[Planes], None] | None = None,
) -> Extracted:
    """Hands all ``pictures`` to ``put``; ``n_lost`` tells afterwards how many could not be given.

    ``on_picture`` is told of each, for progress.

    Raises:
        SourceError: the source cannot be read.
        FormatError: a picture cannot be written.
    """
    n_pictures, last_t_s = 0, float("nan")
    for planes in pictures:
        put(planes)
        n_pictures, last_t_s = n_pictures + 1, planes.moment.t_s
        if on_picture is not None:
            on_picture(planes)
    return Extracted(n_pictures, n_lost(), last_t_s)
