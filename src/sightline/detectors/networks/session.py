"""A network opened with ONNX Runtime, on the processor or on a CUDA device."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from sightline.detectors.networks.queries import SIZES_INPUT
from sightline.detectors.networks.reading import Graph
from sightline.errors import EngineError, OptionError, WeightsError

Provider = Literal["auto", "cpu", "cuda"]

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
_REFUSED = tuple(
    error
    for error in vars(ort_errors).values()
    if isinstance(error, type) and issubclass(error, Exception)
)  # fmt: skip
"""ONNX Runtime's errors, which have no class of their own in common."""
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_GET_CUDA = (
    "pip uninstall -y onnxruntime, then pip install --force-reinstall 'onnxruntime-gpu' (extra sightline[gpu]); "
    "or say provider=cpu"
)


class Session:
    """A network that answers batches of pictures. Not to be shared between threads."""

    def __init__(self, path: Path, *, provider: Provider, threads: int | None, side_px: int | None) -> None:
        """Opens the file.

        Raises:
            OptionError: CUDA is asked for and not there, or a size for a network that has one of its own.
            WeightsError: the file is not an ONNX network, or a damaged one.
            EngineError: its inputs are not a batch of pictures.
        """
        self.path = path
        self._ort = _opened(path, provider, threads)
        self._image = self._image_input()
        shape = self._image.shape
        self.n_batch: int | None = shape[0] if isinstance(shape[0], int) else None
        """Pictures it must be given at once; None if any number will do."""
        self.height, self.width = self._size(shape, side_px)
        self.dtype = _TYPES[self._image.type]
        """What it wants its numbers as."""
        self.metadata: dict[str, str] = dict(self._ort.get_modelmeta().custom_metadata_map)
        """What its exporter wrote into the file."""
        self.on_cuda: bool = self._ort.get_providers()[0] == _CUDA
        """Runs on a CUDA device."""

    def graph(self) -> Graph:
        """What the file says of the network, and its answer to a grey picture, for others to tell which it is.

        Raises:
            EngineError: the network cannot be run.
        """
        grey = np.full((self.n_batch or 1, 3, self.height, self.width), 0.5, self.dtype)
        names = [output.name for output in self._ort.get_outputs()]
        inputs = {each.name: tuple(each.shape) for each in self._ort.get_inputs()}
        return Graph(inputs, self.answers(grey, names), self.height, self.width)

    def answers(self, batch: np.ndarray, names: Sequence[str]) -> Mapping[str, np.ndarray]:
        """What the network answers to a batch, pictures x 3 x height x width.

        Raises:
            EngineError: ONNX Runtime gave up, for instance for want of memory.
        """
        feed = {self._image.name: batch}
        if self._has_sizes:
            feed[SIZES_INPUT] = np.tile(np.array([[self.width, self.height]], np.int64), (len(batch), 1))
        try:
            found = self._ort.run(list(names), feed)
        except _REFUSED as error:
            shape = "x".join(str(side) for side in batch.shape)
            hint = "; try batch=1" if len(batch) > 1 and self.n_batch is None else ""
            raise EngineError(f"{self.path}: network failed on a batch of {shape}: {_line(error)}{hint}") from None
        return dict(zip(names, found, strict=True))

    def _image_input(self) -> Any:
        inputs = self._ort.get_inputs()
        shown = ", ".join(f"{each.name} {each.shape} {each.type}" for each in inputs)
        images = [each for each in inputs if len(each.shape) == 4 and _is_three(each.shape)]
        others = {each.name for each in inputs} - {SIZES_INPUT} - {each.name for each in images}
        self._has_sizes = any(each.name == SIZES_INPUT for each in inputs)
        if len(images) != 1 or others:
            raise EngineError(
                f"{self.path}: not a detector this engine can feed: inputs are {shown}; "
                f"it gives one batch of pictures, N x 3 x height x width, and {SIZES_INPUT} where asked for"
            )
        if images[0].type not in _TYPES:
            raise EngineError(f"{self.path}: pictures go in as {images[0].type}; only float and float16 are known")
        return images[0]

    def _size(self, shape: Sequence[Any], side_px: int | None) -> tuple[int, int]:
        fixed = [side for side in shape[2:] if isinstance(side, int)]
        if side_px is not None and any(side != side_px for side in fixed):
            raise OptionError(f"size={side_px}, but {self.path} takes pictures of {shape[3]}x{shape[2]} only")
        usual = side_px or (560 if "dets" in {output.name for output in self._ort.get_outputs()} else 640)
        height, width = (side if isinstance(side, int) else usual for side in shape[2:])
        return height, width


def _is_three(shape: Sequence[Any]) -> bool:
    """Channels come before height and width, and there are three of them, as far as the file says."""
    return shape[1] == 3 or (not isinstance(shape[1], int) and shape[3] != 3)


def _opened(path: Path, provider: Provider, threads: int | None) -> Any:
    there = ort.get_available_providers()
    if provider == "cuda" and _CUDA not in there:
        raise OptionError(f"provider=cuda needs ONNX Runtime's CUDA build, and this one is not: {_GET_CUDA}")
    options = ort.SessionOptions()
    options.log_severity_level = 4  # what goes wrong comes as an exception as well
    options.intra_op_num_threads = threads or 0
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # other threads decode and encode
    providers = [_CPU]
    if provider != "cpu" and _CUDA in there:
        ort.preload_dlls()  # finds CUDA's libraries where pip puts them
        providers = [_CUDA, _CPU]
    try:
        session = ort.InferenceSession(str(path), options, providers=providers)
    except _REFUSED as error:
        raise WeightsError(f"{path}: not a network that ONNX Runtime can open: {_line(error)}") from None
    if provider == "cuda" and session.get_providers()[0] != _CUDA:
        raise EngineError(
            "provider=cuda: ONNX Runtime found no CUDA device it can use; see nvidia-smi, or say provider=cpu"
        )
    return session


def _line(error: Exception) -> str:
    """What ONNX Runtime said, on one line, without its tags."""
    return " ".join(str(error).split()).rpartition(" : ")[2][:300]
