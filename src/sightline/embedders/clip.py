"""Looks from CLIP-ReID: a vision transformer trained on people, from a PyTorch checkpoint.

Licence: of the code, ours; the usual weights (``clip_market1501.pt``) were trained on Market-1501, which is not for
commercial use. None are shipped. Needs PyTorch, the extra ``vggt``.
"""

from typing import Any, final

import numpy as np

from sightline import weights as shelf
from sightline.embedders.crops import crop
from sightline.errors import EngineError
from sightline.model.arrays import Boxes, Looks
from sightline.model.frame import Frame

_AT_ONCE = 16


@final
class Clip:
    """Vectors of 1,280 numbers from a CLIP-ReID checkpoint, run as it was trained. It is opened at the first picture.

    ``weights`` is a file, or a name on the shelf (``sightline models list``). Crops are 128 x 256, pixels from -1 to 1
    and the vector is taken before the bottleneck, as in the configuration that such networks were trained with.
    """

    def __init__(self, *, weights: str) -> None:
        self._path = shelf.find(weights).path
        self._network: Any = None

    def embed(self, frame: Frame, xyxy_px: Boxes) -> Looks:
        """One vector of length one for each box; NaN where the picture shows next to nothing.

        Raises:
            WeightsError: the file is not a CLIP-ReID checkpoint, or a damaged one.
            EngineError: PyTorch is not installed.
        """
        if self._network is None:
            self._network = self._opened()
        height, width = self._size
        crops = [(k, c) for k, box in enumerate(xyxy_px) if (c := crop(frame.rgb, box, width, height)) is not None]
        looks = np.full((len(xyxy_px), self._network.n_numbers), np.nan)
        for first in range(0, len(crops), _AT_ONCE):
            some = crops[first : first + _AT_ONCE]
            rgb = np.stack([picture for _, picture in some])
            batch = (rgb.transpose(0, 3, 1, 2) / 127.5 - 1).astype(np.float32)
            vectors = self._network.looks(np.ascontiguousarray(batch))
            looks[[k for k, _ in some]] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return looks

    def _opened(self) -> Any:
        try:
            from sightline.embedders import vision_transformer  # noqa: PLC0415 - torch is an extra, and slow to load
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise EngineError("PyTorch is not installed: pip install 'sightline[vggt]'") from None
        self._size = (vision_transformer.HEIGHT, vision_transformer.WIDTH)
        return vision_transformer.VisionTransformer(self._path)
