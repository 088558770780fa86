"""The way from a wish to a network: torch is loaded when there is work, and its absence is said."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from jaxtyping import Float

from sightline.errors import EngineError
from sightline.executors.local import Stopped, Tell
from sightline.model.point_tracks import PointTracks
from sightline.model.scene import Scene
from sightline.model.shots import Shots
from sightline.reconstructors.looks.wishes import Wishes


def granted(wishes: Wishes, shots: Shots, tell: Tell, stopped: Stopped) -> Scene:
    """The scene that the network makes of the pictures.

    Raises:
        ReconstructionError: the pictures do not make one.
        WeightsError: the weights are not here, or are not what they should be; says how to get them.
        OptionError: an option does not do.
        EngineError: it was stopped, PyTorch is not installed, or there is not enough memory.
    """
    with _torch():
        from sightline.reconstructors.looks.rebuilding import rebuilt  # noqa: PLC0415  (torch takes seconds)
    return rebuilt(shots, wishes, tell, stopped)


def traced(wishes: Wishes, shots: Shots, xy_px: Float[np.ndarray, "n 2"], tell: Tell, stopped: Stopped) -> PointTracks:
    """Where the network finds points of the first picture in all of them.

    Raises:
        ReconstructionError: there are no pictures.
        WeightsError: the weights are not here, or are not what they should be; says how to get them.
        OptionError: a point is not in the first picture, or an option does not do.
        EngineError: it was stopped, PyTorch is not installed, or there is not enough memory.
    """
    with _torch():
        from sightline.reconstructors.looks.followed import followed  # noqa: PLC0415  (torch takes seconds)
    return followed(shots, xy_px, wishes, tell, stopped)


@contextmanager
def _torch() -> Iterator[None]:
    """Within it, PyTorch is needed.

    Raises:
        EngineError: it is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise EngineError("PyTorch is not installed: pip install 'sightline[vggt]'") from None
