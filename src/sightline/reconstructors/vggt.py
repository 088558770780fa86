"""VGGT: cameras, depth and points of any pictures in one pass of a network.

Source: Wang et al., "VGGT: Visual Geometry Grounded Transformer" (CVPR 2025), written from the paper. Licence of the
weights: ``vggt-1b`` is CC-BY-NC-4.0; ``vggt-1b-commercial`` is handed out on request. Which ones ran is in the scene.
"""

from typing import final

import numpy as np
from jaxtyping import Float

from sightline.executors.local import Stopped, Tell
from sightline.model.point_tracks import PointTracks
from sightline.model.scene import Scene
from sightline.model.shots import Shots
from sightline.reconstructors.looks.granting import granted, traced
from sightline.reconstructors.looks.wishes import Wishes
from sightline.reconstructors.networks.choices import Precision


@final
class Vggt:
    """Cameras, depth, and points if asked for; one picture is enough.

    Options:
        weights: a name from ``sightline models list``, a ``.pt`` or ``.safetensors`` file, or a repository of Hugging
            Face's that was fetched before; nothing is fetched here.
        side_px: longer side of the pictures that the network sees; scenes keep the pictures' own pixels.
        points: let the network also say points by itself; those from depth and camera are better.
        precision: ``auto`` is bfloat16 where there are units for it, else float32; ``int8`` is rough, small and quick.
        device: ``auto`` is a GPU if there is one; or ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        chunk: pictures to look at together, at most; 0: as many as memory allows, up to 100.
        refine: adjust the cameras to features that pictures share, as structure from motion does; takes about as long.
    """

    def __init__(
        self,
        *,
        weights: str = "vggt-1b",
        side_px: int = 518,
        points: bool = False,
        precision: Precision = "auto",
        device: str = "auto",
        chunk: int = 0,
        refine: bool = False,
    ) -> None:
        self._wishes = Wishes(
            weights=weights,
            kind="vggt",
            side_px=side_px,
            points=points,
            precision=precision,
            device=device,
            chunk=chunk,
            refine=refine,
        )

    def reconstruct(self, shots: Shots, tell: Tell, stopped: Stopped) -> Scene:
        """Cameras and depth for every picture.

        Raises:
            ReconstructionError: the pictures do not make a scene.
            WeightsError: the weights are not here, or are not what they should be; says how to get them.
            OptionError: an option does not do.
            EngineError: it was stopped, PyTorch is not installed, or there is not enough memory.
        """
        return granted(self._wishes, shots, tell, stopped)

    def follow(self, shots: Shots, xy_px: Float[np.ndarray, "n 2"], tell: Tell, stopped: Stopped) -> PointTracks:
        """Where the points at ``xy_px`` of the first picture are in all pictures, which are looked at together.

        Points are pixels across and down of the picture's own. ``chunk``, ``points`` and ``refine`` do not matter here.

        Raises:
            ReconstructionError: there are no pictures.
            WeightsError: the weights are not here, or are not what they should be; says how to get them.
            OptionError: a point is not in the first picture, or an option does not do.
            EngineError: it was stopped, PyTorch is not installed, or there is not enough memory.
        """
        return traced(self._wishes, shots, xy_px, tell, stopped)
