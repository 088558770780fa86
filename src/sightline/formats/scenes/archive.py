"""Arrays in a ZIP file (NPZ), written piece by piece and read without running anything that is in the file."""

import tokenize
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, final

import numpy as np

from sightline.errors import FormatError
from sightline.files import whole

_PIECE = 1 << 20
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, tokenize.TokenError, SyntaxError, KeyError, ValueError, EOFError,
    NotImplementedError, RuntimeError, OverflowError,
)  # fmt: skip
"""What reading a damaged entry or header may raise."""
_BEFORE_ALL_TIME = (1980, 1, 1, 0, 0, 0)
"""The same arrays give the same bytes whenever they are written."""


@final
class Writing:
    """An NPZ file being written; in place when the ``with`` block ends well, absent when it does not."""

    def __init__(self, path: Path, *, compress: bool) -> None:
        self._whole = whole(path)
        self._kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED

    def __enter__(self) -> "Writing":
        self._zip = zipfile.ZipFile(self._whole.__enter__(), "w")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._zip.close()
        finally:
            self._whole.__exit__(kind, error, trace)

    def put(self, name: str, array: np.ndarray) -> None:
        """One array."""
        self.put_pieces(name, array.shape, array.dtype, [array])

    def put_pieces(self, name: str, shape: tuple[int, ...], dtype: Any, pieces: Iterable[np.ndarray]) -> None:
        """One array of that shape, given piece after piece."""
        entry = zipfile.ZipInfo(f"{name}.npy", _BEFORE_ALL_TIME)
        entry.compress_type = self._kind
        entry._compresslevel = 1  # type: ignore[attr-defined]  # noqa: SLF001  # ``open`` takes it from nowhere else
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        with self._zip.open(entry, "w", force_zip64=True) as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            for piece in pieces:
                stream.write(np.ascontiguousarray(piece, dtype).reshape(-1).view(np.uint8).data)


@final
class Reading:
    """An NPZ file being read."""

    def __init__(self, path: Path) -> None:
        """Opens the file.

        Raises:
            FormatError: not a ZIP file.
            OSError: the file cannot be read.
        """
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
            raise FormatError(f"{path}: not an NPZ file ({error})") from None
        self.names = {name.removesuffix(".npy") for name in self._zip.namelist()}
        """Of the arrays."""

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def get(self, name: str) -> np.ndarray:
        """One array.

        Raises:
            FormatError: it is not there, damaged, or holds Python objects.
        """
        where = f"{self._path}: {name}"
        if name not in self.names:
            raise FormatError(f"{where}: not in the file; it has {', '.join(sorted(self.names)) or 'nothing'}")
        try:
            entry = self._zip.getinfo(f"{name}.npy")
            with self._zip.open(entry) as stream:
                return _array(where, stream, entry.file_size)
        except FormatError:
            raise
        except _DAMAGE as error:
            raise FormatError(f"{where}: damaged ({str(error).splitlines()[0] if str(error) else 'cut off'})") from None


def _array(where: str, stream: Any, size: int) -> np.ndarray:
    """The array in an entry of so many bytes."""
    shape, is_fortran, dtype = _header(stream)
    n_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if dtype.hasobject:
        raise FormatError(f"{where}: holds Python objects, expected numbers")
    if n_bytes > size:
        raise FormatError(f"{where}: {shape} {dtype} is more than its {size:,} bytes")
    flat = np.empty(n_bytes, np.uint8)
    for start in range(0, n_bytes, _PIECE):
        piece = stream.read(min(_PIECE, n_bytes - start))
        flat[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
        if len(piece) < min(_PIECE, n_bytes - start):
            raise FormatError(f"{where}: cut off after {start + len(piece):,} of {n_bytes:,} bytes")
    return flat.view(dtype).reshape(shape, order="F" if is_fortran else "C")


def _header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of an array in its file."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"version {version} of the NPY format")
