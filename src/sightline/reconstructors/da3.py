"""Depth Anything 3, Small and Base: cameras and depth of any pictures in one pass of a small network.

Source: Lin et al., "Depth Anything 3" (2025). Licence of the weights: Apache-2.0.
"""

from typing import Literal, final

from sightline.errors import EngineError
from sightline.executors.local import Stopped, Tell
from sightline.model.scene import Scene
from sightline.model.shots import Shots


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
        precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto",
        device: str = "auto",
        chunk: int = 0,
        refine: bool = False,
    ) -> None:
        self._weights = weights
        self._side_px = side_px
        self._precision: Literal["auto", "float32", "bfloat16", "int8"] = precision
        self._device = device
        self._chunk = chunk
        self._refine = refine

    def reconstruct(self, shots: Shots, tell: Tell, stopped: Stopped) -> Scene:
        """Cameras and depth for every picture.

        Raises:
            ReconstructionError: the pictures do not make a scene.
            WeightsError: the weights are not here, or are not what they should be; says how to get them.
            OptionError: an option does not do.
            EngineError: it was stopped, PyTorch is not installed, or there is not enough memory.
        """
        try:
            from sightline.reconstructors.looks.rebuilding import Wishes, rebuilt  # noqa: PLC0415  (slow to load)
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise EngineError("PyTorch is not installed: pip install 'sightline[vggt]'") from None
        wishes = Wishes(
            weights=self._weights,
            kind="da3",
            side_px=self._side_px,
            points=False,
            precision=self._precision,
            device=self._device,
            chunk=self._chunk,
            refine=self._refine,
        )
        return rebuilt(shots, wishes, tell, stopped)
