"""The grid of numbers in a MOT text file, and the line each row stands in."""

import gzip
import re
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int
from pyarrow import csv

from sightline.errors import FormatError

COLUMNS = ("frame", "id", "left", "top", "width", "height", "confidence", "column 8", "column 9", "column 10")
"""What the columns are called in messages; 8 to 10 depend on how many there are."""
_SHOWN = 30


def contents(path: Path) -> bytes:
    """The bytes of the file, unpacked if it is gzip, without a byte order mark, lines ended by line feeds.

    Raises:
        FormatError: the file is a damaged gzip.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise FormatError(f"{path}: damaged gzip file ({error}); fetch or pack it again") from None
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def numbers(path: Path, data: bytes) -> Float[np.ndarray, "n k"]:
    """The rows of ``data`` as numbers, none where there are no rows; ``path`` is only named in messages.

    Fields are parted by commas, or, where the first row has none, by spaces or tabs. Blank lines are skipped.

    Raises:
        FormatError: a field that is not a number, or a row that is longer or shorter than the first.
    """
    if not data.strip():
        return np.zeros((0, len(COLUMNS)))
    if b"," not in _first_line(data):
        data = re.sub(rb"[ \t]+", b",", re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", data))
    try:
        return _by_arrow(data)
    except pa.ArrowInvalid:
        return _line_by_line(path, data)


def lines_of(data: bytes) -> Int[np.ndarray, " n"]:
    """The line, from 1, that each row of ``numbers`` stands in."""
    return np.array([at for at, line in enumerate(data.split(b"\n"), 1) if line.strip()], np.int64)


def _first_line(data: bytes) -> bytes:
    return data.lstrip().split(b"\n", 1)[0]


def _by_arrow(data: bytes) -> Float[np.ndarray, "n k"]:
    """All at once, and fast; any fault at all is left to the slow way to name."""
    names = [str(k) for k in range(1 + _first_line(data).count(b","))]
    table = csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(column_names=names, use_threads=False),
        csv.ParseOptions(quote_char=False),
        csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64()), null_values=[]),
    )
    return np.stack([table[name].to_numpy() for name in names], axis=1)


def _line_by_line(path: Path, data: bytes) -> Float[np.ndarray, "n k"]:
    """One line after the other, so that the first fault can be named."""
    rows: list[list[float]] = []
    first_line = 0
    for at, line in enumerate(data.split(b"\n"), 1):
        fields = line.strip(b" \t").removesuffix(b",").split(b",")
        if not line.strip():
            continue
        if rows and len(fields) != len(rows[0]):
            expected = f"expected {len(rows[0])} columns as in line {first_line}, found {len(fields)}"
            raise FormatError(f"{path}: line {at}: {expected}")
        rows.append([_number(path, at, k, field) for k, field in enumerate(fields)])
        first_line = first_line or at
    return np.array(rows)


def _number(path: Path, line: int, column: int, field: bytes) -> float:
    """The number that ``field`` says."""
    try:
        return float(field.replace(b"_", b"?"))
    except ValueError:
        name = COLUMNS[column] if column < len(COLUMNS) else f"column {column + 1}"
        shown = field[:_SHOWN].decode("utf-8", "replace").strip()
        raise FormatError(f"{path}: line {line}: {name} is {shown!r}, expected a number") from None
