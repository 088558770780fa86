"""Looks from a re-identification network in an ONNX file.

Licence: depends on the weights; ``sightline models list`` says, for those it knows. None are shipped.
"""

from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import onnxruntime as ort
from jaxtyping import Float
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from sightline import weights as shelf
from sightline.embedders.crops import crop
from sightline.errors import EngineError, OptionError, WeightsError
from sightline.model.arrays import Boxes, Looks
from sightline.model.frame import Frame

Pixels = Literal["auto", "bgr_255", "imagenet", "half"]
"""How a network wants its pixels: blue first, 0 to 255; red first, less ImageNet's mean and by its deviation;
red first, -1 to 1. ``auto``: the first for networks that take colours last (Open Model Zoo's), else the second."""
_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
_AT_ONCE = 16
_USUAL = (256, 128)
"""Height and width where the network takes any."""
_REFUSED = tuple(e for e in vars(ort_errors).values() if isinstance(e, type) and issubclass(e, Exception))
"""ONNX Runtime's errors, which have no class of their own in common."""


@final
class Onnx:
    """Vectors from a network. It is opened at the first picture; nothing is ever downloaded.

    ``weights`` is a file, or a name on the shelf (``sightline models list``). The network takes one batch of pictures,
    colours first or last, and its first answer is one vector for each. ``pixels`` is how it wants its colours; wrong
    ones cost much of its worth and raise no error. ``threads`` changes nothing but speed.
    """

    def __init__(self, *, weights: str, pixels: Pixels = "auto", threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise OptionError(f"embedder onnx: threads={threads}: at least 1 is needed")
        self._path = shelf.find(weights).path
        self._pixels, self._threads = pixels, threads
        self._session: Any = None
        self._colours_last = False

    def embed(self, frame: Frame, xyxy_px: Boxes) -> Looks:
        """One vector of length one for each box; NaN where the picture shows next to nothing.

        Raises:
            WeightsError: the file is not an ONNX network, or a damaged one.
            EngineError: the network does not take pictures of people, or failed.
        """
        if self._session is None:
            self._session = self._opened()
        height, width = self._size
        crops = [
            (k, small) for k, box in enumerate(xyxy_px) if (small := crop(frame.rgb, box, width, height)) is not None
        ]
        shown, pictures = [k for k, _ in crops], [small for _, small in crops]
        starts = range(0, len(pictures), self._n_batch)
        found = [self._answered(np.stack(pictures[i : i + self._n_batch])) for i in starts]
        if not found:
            return np.full((len(xyxy_px), self._n_numbers), np.nan)
        vectors = np.concatenate(found)
        looks = np.full((len(xyxy_px), vectors.shape[1]), np.nan)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        looks[shown] = vectors / np.where(length > 0, length, np.nan)
        return looks

    def _answered(self, rgb: np.ndarray) -> Float[np.ndarray, "n d"]:
        batch = self._prepared(rgb)
        try:
            vectors = self._session.run(None, {self._session.get_inputs()[0].name: batch})[0]
        except _REFUSED as error:
            raise EngineError(f"{self._path}: network failed on {len(batch)} crops: {_line(error)}") from None
        return np.asarray(vectors, float).reshape(len(batch), -1)

    def _prepared(self, rgb: np.ndarray) -> np.ndarray:
        """The crops with pixels as the network wants them."""
        pixels = self._pixels
        if pixels == "auto":
            pixels = "bgr_255" if self._colours_last else "imagenet"
        if pixels == "bgr_255":
            batch = rgb[..., ::-1].astype(np.float32)
        elif pixels == "imagenet":
            batch = ((rgb / 255 - _MEAN) / _DEVIATION).astype(np.float32)
        else:
            batch = (rgb / 127.5 - 1).astype(np.float32)
        return np.ascontiguousarray(batch if self._colours_last else batch.transpose(0, 3, 1, 2))

    def _opened(self) -> Any:
        session = _session(self._path, self._threads)
        inputs = session.get_inputs()
        shape = inputs[0].shape
        shown = ", ".join(f"{each.name} {each.shape} {each.type}" for each in inputs)
        sizes = [side if isinstance(side, int) else None for side in shape]
        self._colours_last = len(shape) == 4 and sizes[3] == 3
        if len(inputs) != 1 or len(shape) != 4 or inputs[0].type != "tensor(float)" or 3 not in (sizes[1], sizes[3]):
            raise EngineError(
                f"{self._path}: not a network this engine can feed: inputs are {shown}; "
                "it gives one batch of crops as floats, N x 3 x height x width or N x height x width x 3"
            )
        height, width = sizes[1:3] if self._colours_last else sizes[2:]
        self._size = (height or _USUAL[0], width or _USUAL[1])
        self._n_batch = sizes[0] or _AT_ONCE
        if sizes[0] not in {None, 1}:
            raise EngineError(
                f"{self._path}: takes exactly {sizes[0]} crops at once; export it for 1 or for any number"
            )
        last = session.get_outputs()[0].shape[-1]
        self._n_numbers = last if isinstance(last, int) else 0
        return session


def _session(path: Path, threads: int | None) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 4  # what goes wrong comes as an exception as well
    options.intra_op_num_threads = threads or 0
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # other threads decode and encode
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _REFUSED as error:
        raise WeightsError(f"{path}: not a network that ONNX Runtime can open: {_line(error)}") from None


def _line(error: Exception) -> str:
    """What ONNX Runtime said, on one line, without its tags."""
    return " ".join(str(error).split()).rpartition(" : ")[2][:300]
