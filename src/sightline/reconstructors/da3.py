"""Depth Anything 3, Small and Base: cameras and depth of any pictures in one pass of a small network.

Source: Lin et al., "Depth Anything 3" (2025). Licence of the weights: Apache-2.0.
"""

from typing import final

from sightline.executors.local import Stopped, Tell
from sightline.model.scene import Scene
from sightline.model.shots import Shots
from sightline.reconstructors.looks.granting import granted
from sightline.reconstructors.looks.wishes import Wishes
from sightline.reconstructors.networks.choices import Precision


@final
class Da3:
    """Cameras and depth; one picture is enough.

    Options:
        weights: a name from ``sightline models list``, a ``.pt`` or ``.safetensors`` file, or a repository of Hugging
            Face's that was fetched before; nothing is fetched here.
        side_px: longer side of the pictures that the network sees; scenes keep the pictures' own pixels.
        precision: ``auto`` is bfloat16 where there are units for it, else float32; ``int8`` is rough, small and quick.
        device: ``auto`` is a GPU if there is one; or ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        chunk: pictures to look at together, at most; 0: as many as memory allows, up to 100.
        refine: adjust the cameras to features that pictures share, as structure from motion does; takes about as long.
    """

    def __init__(
        self,
        *,
        weights: str = "",
        side_px: int = 504,
        precision: Precision = "auto",
        device: str = "auto",
        chunk: int = 0,
        refine: bool = False,
    ) -> None:
        self._wishes = Wishes(
            weights=weights,
            kind="da3",
            side_px=side_px,
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
