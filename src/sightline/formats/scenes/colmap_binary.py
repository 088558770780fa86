"""COLMAP's binary model files: ``cameras.bin``, ``images.bin``, ``points3D.bin``.

Source: COLMAP's documentation, "Output Format".
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from sightline.errors import FormatError
from sightline.formats.scenes.colmap_model import MODEL_IDS, Model
from sightline.model.lens import Lens

_POINT = np.dtype([("id", "<u8"), ("xyz", "<f8", 3), ("rgb", "u1", 3), ("error", "<f8"), ("length", "<u8")])
_SEEN = np.dtype([("image", "<u4"), ("keypoint", "<u4")])
_KEYPOINT = np.dtype([("xy", "<f8", 2), ("point", "<u8")])
_IMAGE = struct.Struct("<I7dI")
_CAMERA = struct.Struct("<IiQQ")
_COUNT = struct.Struct("<Q")
_NOBODY = 2**64 - 1
_ROWS = 1 << 16
_LONGEST_NAME = 4096


def write(model: Model, folder: Path) -> None:
    """Puts the three files into the folder."""
    with (folder / "cameras.bin").open("wb") as stream:
        stream.write(_COUNT.pack(len(model.lenses)))
        numbers = {lens_model: number for number, lens_model in MODEL_IDS.items()}
        for camera, lens in model.lenses.items():
            stream.write(_CAMERA.pack(camera, numbers[lens.model], lens.width, lens.height))
            stream.write(lens.params.astype("<f8").tobytes())
    with (folder / "images.bin").open("wb") as stream:
        stream.write(_COUNT.pack(len(model.names)))
        for k, name in enumerate(model.names):
            pose = (*model.quat_wxyz[k], *model.shift[k])
            stream.write(_IMAGE.pack(int(model.image_id[k]), *pose, int(model.camera_id[k])))
            here = slice(model.keypoint_start[k], model.keypoint_start[k + 1])
            rows = np.empty(here.stop - here.start, _KEYPOINT)
            rows["xy"], rows["point"] = model.keypoint_xy[here], model.keypoint_point[here].astype(np.uint64)
            stream.write(name.encode() + b"\0" + _COUNT.pack(len(rows)) + rows.tobytes())
    with (folder / "points3D.bin").open("wb") as stream:
        stream.write(_COUNT.pack(len(model.xyz)))
        for start in range(0, len(model.xyz), _ROWS):
            stream.write(_points(model, start, min(start + _ROWS, len(model.xyz))).data)


def _points(model: Model, start: int, end: int) -> UInt8[np.ndarray, " b"]:
    """Some points as the file has them: each followed by its track."""
    heads = np.empty(end - start, _POINT)
    lengths = np.diff(model.track_start[start : end + 1])
    heads["id"], heads["xyz"], heads["rgb"] = model.point_id[start:end], model.xyz[start:end], model.rgb[start:end]
    heads["error"], heads["length"] = model.error_px[start:end], lengths
    rows = slice(model.track_start[start], model.track_start[end])
    seen = np.empty(rows.stop - rows.start, _SEEN)
    seen["image"], seen["keypoint"] = model.track_image[rows], model.track_keypoint[rows]
    sizes = _POINT.itemsize + _SEEN.itemsize * lengths
    begins = np.cumsum(sizes) - sizes
    packed = np.empty(int(sizes.sum()), np.uint8)
    packed[_spans(begins, _POINT.itemsize)] = heads.view(np.uint8).reshape(-1, _POINT.itemsize)
    packed[_spans(_rows_of(begins, lengths), _SEEN.itemsize)] = seen.view(np.uint8).reshape(-1, _SEEN.itemsize)
    return packed


def _rows_of(begins: Int[np.ndarray, " n"], lengths: Int[np.ndarray, " n"]) -> Int[np.ndarray, " m"]:
    """Where each row of each track is."""
    nth = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(begins + _POINT.itemsize, lengths) + _SEEN.itemsize * nth


def _spans(begins: Int[np.ndarray, " n"], width: int) -> Int[np.ndarray, "n w"]:
    """Places of ``width`` bytes from each beginning."""
    return begins[:, None] + np.arange(width)


class _Bytes:
    """A file's bytes, read from the front; running out of them is an error that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path.read_bytes()
        self.at = 0

    def take(self, form: struct.Struct) -> tuple[Any, ...]:
        """The next numbers."""
        self.need(form.size, 1)
        values = form.unpack_from(self.data, self.at)
        self.at += form.size
        return values

    def need(self, size: int, n: int) -> None:
        """Raises where fewer than ``n`` things of that size are left."""
        left = len(self.data) - self.at
        if n * size > left:
            raise FormatError(f"{self.path}: cut off at byte {self.at:,}: {n * size:,} more expected, {left:,} left")

    def count(self, least: int) -> int:
        """The next count of things that take at least so many bytes each."""
        (n,) = self.take(_COUNT)
        self.need(least, n)
        return int(n)

    def array(self, kind: np.dtype, n: int) -> np.ndarray:
        """The next rows."""
        self.need(kind.itemsize, n)
        rows = np.frombuffer(self.data, kind, n, self.at)
        self.at += n * kind.itemsize
        return rows

    def text(self) -> str:
        """The next text, up to a zero byte."""
        end = self.data.find(b"\0", self.at, self.at + _LONGEST_NAME)
        if end < 0:
            raise FormatError(f"{self.path}: at byte {self.at:,} a name has no end")
        text = self.data[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return text

    def done(self) -> None:
        """Raises where something is left."""
        if self.at < len(self.data):
            raise FormatError(f"{self.path}: {len(self.data) - self.at:,} bytes too many")


def read(folder: Path) -> Model:
    """What the three files say.

    Raises:
        FormatError: names the file, the place and what was expected there.
        OSError: a file cannot be read.
    """
    cameras = _Bytes(folder / "cameras.bin")
    lenses = dict(_lenses(cameras))
    cameras.done()
    return Model(lenses=lenses, **_images(_Bytes(folder / "images.bin")), **_cloud(_Bytes(folder / "points3D.bin")))


def _lenses(found: _Bytes) -> Iterator[tuple[int, Lens]]:
    for _ in range(found.count(_CAMERA.size)):
        camera, number, width, height = found.take(_CAMERA)
        if number not in MODEL_IDS:
            known = ", ".join(MODEL_IDS.values())
            raise FormatError(f"{found.path}: camera {camera}: lens model {number} is not known here ({known})")
        params = found.array(np.dtype("<f8"), MODEL_IDS[number].n_params)
        yield camera, Lens(MODEL_IDS[number], width, height, params.astype(np.float64))


def _images(found: _Bytes) -> dict[str, Any]:
    """The columns of the images and their keypoints."""
    heads, names, keypoints = [], [], [np.zeros(0, _KEYPOINT)]
    for _ in range(found.count(_IMAGE.size + 9)):
        heads.append(found.take(_IMAGE))
        names.append(found.text())
        keypoints.append(found.array(_KEYPOINT, found.count(_KEYPOINT.itemsize)))
    found.done()
    table = np.array(heads, np.float64).reshape(-1, 9)
    joined = np.concatenate(keypoints)
    return {
        "image_id": table[:, 0].astype(np.int64),
        "names": tuple(names),
        "camera_id": table[:, 8].astype(np.int64),
        "quat_wxyz": table[:, 1:5],
        "shift": table[:, 5:8],
        "keypoint_start": np.cumsum([len(rows) for rows in keypoints]),
        "keypoint_xy": joined["xy"].astype(np.float64),
        "keypoint_point": np.where(joined["point"] == _NOBODY, np.uint64(0), joined["point"]).astype(np.int64)
        - (joined["point"] == _NOBODY),
    }


def _cloud(found: _Bytes) -> dict[str, Any]:
    """The columns of the points and their tracks."""
    n = found.count(_POINT.itemsize)
    begins, lengths = np.empty(n, np.int64), np.empty(n, np.int64)
    for k in range(n):
        found.need(_POINT.itemsize, 1)
        (length,) = _COUNT.unpack_from(found.data, found.at + _POINT.itemsize - _COUNT.size)
        begins[k], lengths[k] = found.at, length
        found.at += _POINT.itemsize
        found.need(_SEEN.itemsize, length)
        found.at += _SEEN.itemsize * length
    found.done()
    data = np.frombuffer(found.data, np.uint8)
    heads = data[_spans(begins, _POINT.itemsize)].reshape(-1).view(_POINT)
    seen = data[_spans(_rows_of(begins, lengths), _SEEN.itemsize)].reshape(-1).view(_SEEN)
    return {
        "point_id": heads["id"].astype(np.int64),
        "xyz": heads["xyz"].astype(np.float64),
        "rgb": heads["rgb"].copy(),
        "error_px": heads["error"].astype(np.float64),
        "track_start": np.concatenate([[0], np.cumsum(lengths)]),
        "track_image": seen["image"].astype(np.int64),
        "track_keypoint": seen["keypoint"].astype(np.int64),
    }
