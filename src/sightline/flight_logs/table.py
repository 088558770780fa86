"""A log as comma-separated text: whatever separator, decimal mark, encoding and order of columns it came with."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError

Column = Float[np.ndarray, " n"]
_NAME = re.compile(r"^\s*(?P<name>.*?)\s*(?:\[(?P<square>[^\]]*)\]|\((?P<round>[^)]*)\))?\s*$")
_NOTHING = {"", "null", "none", "nan", "n/a", "na", "-", "--"}
_METRES = {"m": 1.0, "meters": 1.0, "metres": 1.0, "meter": 1.0, "ft": 0.3048, "feet": 0.3048}
_SPEEDS = {
    "m/s": 1.0, "mps": 1.0, "mph": 0.44704, "km/h": 1 / 3.6, "kph": 1 / 3.6, "kmh": 1 / 3.6,
    "knots": 1852 / 3600, "kt": 1852 / 3600, "ft/s": 0.3048,
}  # fmt: skip
_SECONDS = {"s": 1.0, "seconds": 1.0, "ms": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3}
_DEGREES = {"degrees": 1.0, "deg": 1.0, "°": 1.0, "360": 1.0}
SCALES = {"length": _METRES, "speed": _SPEEDS, "time": _SECONDS, "angle": _DEGREES}
"""What a unit is worth in metres, metres per second, seconds, degrees."""
_LARGEST = 512 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The text of a log, by column. Names are compared without spaces around them and without their unit."""

    path: Path
    """Where it came from, for messages."""
    texts: dict[tuple[str, str], list[str]]
    """Columns by name and unit, both as in the header."""
    first_line: int
    """Number in the file of the first row, for messages."""
    has_decimal_comma: bool
    """Whether numbers are written 1,5."""
    n: int
    """Rows."""

    def key(self, *names: str) -> tuple[str, str] | None:
        """Name and unit of the first of ``names`` that is a column; of one name in two units, the first in the file."""
        for wanted in names:
            for name, unit in self.texts:
                if name.lower() == wanted.lower():
                    return name, unit
        return None

    def text(self, *names: str, unit: str | None = None) -> list[str] | None:
        """The words of a column; None where there is none of these names (and unit)."""
        for (name, its_unit), words in self.texts.items():
            if name.lower() in {n.lower() for n in names} and unit in {None, its_unit.lower()}:
                return words
        return None

    def number(self, kind: str, *names: str, default_unit: str | None = None) -> Column:
        """The first of ``names`` that is a column, as numbers of metres, metres per second, seconds or degrees.

        NaN where nothing is written, and throughout where there is no such column.

        Raises:
            FormatError: a number cannot be read, or the unit is not known; names file, line and column.
        """
        key = self.key(*names)
        if key is None:
            return np.full(self.n, np.nan)
        scale = self._scale(kind, key, default_unit)
        return np.array([self._float(word, key[0], row) for row, word in enumerate(self.texts[key])], float) * scale

    def required(self, kind: str, *names: str, default_unit: str | None = None) -> Column:
        """The same, where the log makes no sense without it.

        Raises:
            FormatError: there is no such column, or it is empty.
        """
        if self.key(*names) is None:
            raise FormatError(f"{self.path}: there is no column {names[0]}; export the log with all its columns")
        column = self.number(kind, *names, default_unit=default_unit)
        if not np.isfinite(column).any():
            raise FormatError(f"{self.path}: column {names[0]} holds no number")
        return column

    def _scale(self, kind: str, key: tuple[str, str], default_unit: str | None) -> float:
        """What one unit of the column is worth."""
        name, unit = key
        known = SCALES.get(kind)
        if known is None:
            return 1.0
        if not unit and (kind == "angle" or default_unit):
            return known.get(default_unit or "", 1.0)
        if unit.lower() not in known:
            raise FormatError(
                f"{self.path}: column {name}: unit {unit or 'missing'!r} is not known; "
                f"write one of these behind the name: {', '.join(known)}"
            )
        return known[unit.lower()]

    def _float(self, word: str, name: str, row: int) -> float:
        """One number; NaN where nothing is written."""
        stripped = word.strip()
        if stripped.lower() in _NOTHING:
            return float("nan")
        try:
            return float(stripped.replace(",", ".") if self.has_decimal_comma else stripped)
        except ValueError:
            line = self.first_line + row
            raise FormatError(f"{self.path}: line {line}: {name} is {word[:40]!r}, which is no number") from None


def read_table(path: Path) -> Table:
    """The table in a file; a line cut off at its end is left out.

    Raises:
        FormatError: there is no table in it.
        OSError: it cannot be read.
    """
    lines, first = _lines(path)
    separator = _separator(lines[0])
    rows = list(csv.reader(lines, delimiter=separator))
    header, body = rows[0], [row for row in rows[1:] if any(word.strip() for word in row)]
    if len(header) < 3:
        raise FormatError(f"{path}: line {first}: no names of columns; is it a table of a flight?")
    if body and len(body[-1]) < len(header) // 2:
        body.pop()
    if not body:
        raise FormatError(f"{path}: there are no rows beneath the names of the columns")
    width = max(len(header), *(len(row) for row in body))
    filled = [row + [""] * (width - len(row)) for row in body]
    texts: dict[tuple[str, str], list[str]] = {}
    for name, column in zip(header, zip(*filled, strict=True), strict=False):
        found = _NAME.match(name)
        unit = (found["square"] or found["round"] or "").strip() if found else ""
        texts.setdefault((found["name"] if found else name.strip(), unit), list(column))
    return Table(path, texts, first + 1, _decimal_comma(texts), len(body))


def header(path: Path) -> str:
    """The line with the names of the columns, for telling logs apart; nothing if there is none.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(65536)
    lines = _text(start).splitlines()
    return next((line for line in lines if line.strip() and not line.lower().startswith("sep=")), "")


def _lines(path: Path) -> tuple[list[str], int]:
    """The lines from the header on, and the number of the header in the file, from 1."""
    if path.stat().st_size > _LARGEST:
        raise FormatError(f"{path}: larger than {_LARGEST // 2**20} MiB, which no flight log is")
    lines = _text(path.read_bytes()).splitlines()
    for number, line in enumerate(lines):
        if line.strip() and not line.lower().startswith("sep="):
            return lines[number:], number + 1
    raise FormatError(f"{path}: is empty")


def _text(data: bytes) -> str:
    """As UTF-8 with or without its mark, else as Latin-1, which anything is; without NUL bytes."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").replace("\0", "")
    try:
        return data.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        return data.decode("latin-1").replace("\0", "")


def _separator(header: str) -> str:
    """What stands between names: whichever of three there is most of."""
    return max((",", ";", "\t"), key=header.count)


def _decimal_comma(texts: dict[tuple[str, str], list[str]]) -> bool:
    """Whether latitudes are written with a comma."""
    latitudes = next((words for (name, _), words in texts.items() if name.lower().endswith("latitude")), [])
    return any("," in word for word in latitudes)
