"""Points of the first picture to where they are in all of them, by one look."""

import numpy as np
import torch
from jaxtyping import Float

from sightline.errors import EngineError, OptionError, ReconstructionError, WeightsError
from sightline.executors.local import Stopped, Tell
from sightline.geometry.warp import warped
from sightline.model.point_tracks import PointTracks
from sightline.model.shots import Shots
from sightline.reconstructors.looks.found import found
from sightline.reconstructors.looks.loading import Ready, ready
from sightline.reconstructors.looks.memory import at_once, free_bytes, load_of_following, together
from sightline.reconstructors.looks.pictures import Pictures, check
from sightline.reconstructors.looks.wishes import Wishes
from sightline.reconstructors.networks.vggt import VggtNet

_CENTRE_PX = 0.5
"""The network numbers pixels by their centres."""


def followed(
    shots: Shots, xy_px: Float[np.ndarray, "n 2"], wishes: Wishes, tell: Tell, stopped: Stopped
) -> PointTracks:
    """Where the points at ``xy_px`` of the first picture's own pixels are in every picture.

    Raises:
        ReconstructionError: there are no pictures.
        OptionError: a point is not in the first picture, or an option does not do.
        WeightsError: the weights are not here, are not what they should be, or follow no points.
        EngineError: it was stopped, or there is not enough memory for all pictures at once.
    """
    if not len(shots):
        raise ReconstructionError("no pictures")
    check(wishes)
    tell("loading weights", 0, None)
    net = ready(found(wishes.weights), wishes.kind, wishes.precision, wishes.device, points=False, follows=True)
    if not isinstance(net.net, VggtNet):
        raise WeightsError("Depth Anything 3 follows no points; VGGT does: --engine vggt")
    pictures = Pictures.read(shots, wishes, net, tell, stopped)
    framings = pictures.framings
    _check_room(net, net.net, pictures, len(xy_px))
    _check_inside(xy_px, framings[0].own)
    xy = torch.from_numpy(warped(framings[0].outer_from_own, xy_px) - _CENTRE_PX).float().to(net.device)

    def glance() -> None:
        if stopped():
            raise EngineError("stopped before the points were followed")
        tell("following", 0, 1)

    said = net.net.follow(pictures.tensor(range(len(shots))), xy, at_once(pictures.size, net.device), glance)
    tell("following", 1, 1)
    outer_px = said.xy.double().numpy() + _CENTRE_PX
    own = [warped(np.linalg.inv(one.outer_from_own), there) for one, there in zip(framings, outer_px, strict=True)]
    names = tuple(shot.name for shot in shots.shots)
    return PointTracks(names, np.array(own, np.float32), said.visible.numpy(), said.confidence.numpy())


def _check_room(net: Ready, network: VggtNet, pictures: Pictures, n_points: int) -> None:
    """Nothing, if there is memory to see all pictures at once.

    Raises:
        EngineError: there is not.
    """
    n = len(pictures.shown)
    besides = n * load_of_following(network, pictures.size, n_points)
    free = free_bytes(net.device) - net.mapped_bytes
    if besides > free or together(net, pictures.size, n, free - besides, points=False) < n:
        raise EngineError(
            f"{n} pictures with {n_points} points do not fit into {free / 1e9:.1f} GB at once; give fewer of either, "
            "or a smaller side_px"
        )


def _check_inside(xy_px: Float[np.ndarray, "n 2"], size: tuple[int, int]) -> None:
    """Nothing, if all points are in the picture of that size (down, across).

    Raises:
        OptionError: one is not.
    """
    height, width = size
    is_in = ((xy_px >= 0) & (xy_px <= (width, height))).all(axis=1)
    if not is_in.all():
        at = int(np.argmin(is_in))
        x, y = xy_px[at]
        raise OptionError(f"xy_px: point {at} at ({x:g}, {y:g}) is not in the first picture ({width} x {height})")
