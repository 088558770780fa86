"""DataFlash files (``.bin``), which describe themselves: every message begins with three bytes that say its kind.

Source: ArduPilot's public description of the log format (ardupilot.org, "Structure of a log file"); no code of it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from sightline.errors import FormatError

MAGIC = b"\xa3\x95"
_FORMAT = 128
"""Kind of the messages that describe the others; it describes itself, always thus."""
_DESCRIPTION = np.dtype(
    [("head", "S3"), ("kind", "u1"), ("length", "u1"), ("name", "S4"), ("types", "S16"), ("columns", "S64")]
)
_TYPES: dict[str, tuple[str, float | None]] = {
    "a": ("(32,)<i2", None), "b": ("<i1", None), "B": ("<u1", None), "h": ("<i2", None), "H": ("<u2", None),
    "i": ("<i4", None), "I": ("<u4", None), "f": ("<f4", None), "d": ("<f8", None), "g": ("<f2", None),
    "n": ("S4", None), "N": ("S16", None), "Z": ("S64", None), "c": ("<i2", 1e-2), "C": ("<u2", 1e-2),
    "e": ("<i4", 1e-2), "E": ("<u4", 1e-2), "L": ("<i4", 1e-7), "M": ("<u1", None), "q": ("<i8", None),
    "Q": ("<u8", None),
}  # fmt: skip
"""Letter -> how it is stored, and what one step of it is worth."""
_LARGEST = 4 * 2**30

Messages = dict[str, np.ndarray]
"""Columns of numbers of one kind of message by their names; whole numbers that stand for parts are made real."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """How messages of one kind are laid out."""

    name: str
    """Such as GPS."""
    dtype: np.dtype
    """Of a whole message, its first three bytes included."""
    scales: dict[str, float | None]
    """What one step of each column is worth."""


def messages(path: Path, wanted: frozenset[str]) -> tuple[dict[str, Messages], int]:
    """The messages of the wanted kinds, by name, in the order of the file; and how many bytes make no sense.

    Raises:
        FormatError: the file is no such log.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(3) != MAGIC + bytes([_FORMAT]):
            raise FormatError(f"{path}: this is no DataFlash log (.bin) of ArduPilot")
    if path.stat().st_size > _LARGEST:
        raise FormatError(f"{path}: larger than {_LARGEST >> 30} GiB; cut it to the flight")
    data = path.read_bytes()
    kinds, places, lost = _walked(data)
    raw, found = np.frombuffer(data, np.uint8), {}
    for number, kind in kinds.items():
        if kind.name in wanted and places[number]:
            at = np.array(places[number])[:, None] + np.arange(kind.dtype.itemsize)
            rows = raw[at].view(kind.dtype)[:, 0]
            columns = {name: rows[name] for name in kind.scales}
            found[kind.name] = {
                name: _real(column, kind.scales[name])
                for name, column in columns.items()
                if column.ndim == 1 and column.dtype.kind in "iuf"
            }
    return found, lost


def _walked(data: bytes) -> tuple[dict[int, _Kind], list[list[int]], int]:
    """What kinds there are, where messages of each begin, and how many bytes are none."""
    kinds: dict[int, _Kind] = {}
    lengths = [0] * 256
    places: list[list[int]] = [[] for _ in range(256)]
    lengths[_FORMAT] = _DESCRIPTION.itemsize
    at, end, lost = 0, len(data), 0
    first, second = MAGIC
    while at + 3 <= end:
        number = data[at + 2]
        after = at + lengths[number]
        if data[at] != first or data[at + 1] != second or after == at or after > end:
            after = data.find(MAGIC, at + 1)
            after = end if after < 0 else after
            lost += after - at
        else:
            places[number].append(at)
            if number == _FORMAT:
                described, length, kind = _kind(data, at)
                if not lengths[described] and length > len(MAGIC):  # what is said of a kind first holds
                    lengths[described] = length
                    kinds |= {} if kind is None else {described: kind}
        at = after
    return kinds, places, lost


def _kind(data: bytes, at: int) -> tuple[int, int, _Kind | None]:
    """Number, length and layout that a message of kind 128 describes.

    A length of 0 where it makes no sense; None for a layout with letters that are not known here.
    """
    row = np.frombuffer(data, _DESCRIPTION, 1, at)[0]
    number, length, letters = int(row["kind"]), int(row["length"]), row["types"].decode("ascii", "replace")
    names = row["columns"].decode("ascii", "replace").split(",")
    if not {*letters} <= {*_TYPES}:
        return number, length, None
    if not all(names) or len(names) != len(letters) or len({*names}) < len(names):
        return number, 0, None
    fields = [("head ", "V3"), *((name, _TYPES[letter][0]) for name, letter in zip(names, letters, strict=True))]
    dtype = np.dtype(fields)
    if dtype.itemsize != length:
        return number, 0, None
    scales = {name: _TYPES[letter][1] for name, letter in zip(names, letters, strict=True)}
    return number, length, _Kind(row["name"].decode("ascii", "replace"), dtype, scales)


def _real(column: Shaped[np.ndarray, " n"], scale: float | None) -> Shaped[np.ndarray, " n"]:
    return column if scale is None else column * scale
