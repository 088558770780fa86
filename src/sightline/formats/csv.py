"""CSV: one row per sighting, for spreadsheets and for reading by eye."""

import csv
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Shaped
from pyarrow import csv as arrow_csv

from sightline.errors import FormatError
from sightline.files import whole
from sightline.formats.columns import NAMES
from sightline.formats.table import TEXT, TYPES, table, tracks_in
from sightline.model.tracks import Tracks

_PART = re.compile(r"(?P<name>.+?)(?P<place>(\[\d+\])+)")
_NOT_PLAIN = re.compile(r'[",\r\n]|^$')
_PLAIN_NUMBER = {
    pa.int64(): re.compile(r"-?\d{1,18}", re.ASCII),
    pa.float64(): re.compile(r"-?\d+(\.\d+)?", re.ASCII),
}
"""Those that need no asking whether Arrow takes them."""
_NUMBERS = pa.int64(), pa.float64(), pa.bool_()


@final
class Csv:
    """``camera,frame_index,t_s,track,x1,y1,x2,y2,score,class,detection``, then the extra columns.

    Frames count from 0; a time that is not known is empty. Numbers are written so that they come back exactly.
    An extra column of several numbers per row becomes ``name[0]``, ``name[1]``, ...; of a matrix, ``name[0][0]``.
    What the file cannot tell: class names that no row has, and the number types of extra columns
    (numbers that are all whole come back as whole numbers).
    """

    def write(self, tracks: Tracks, path: Path) -> None:
        """Puts the tracks into the file, in UTF-8.

        Raises:
            FormatError: an extra column that has no place in a table.
            OSError: the file cannot be written; nothing is left under its name then.
        """
        full = table(tracks, path)
        for name, column in tracks.extra.items():
            for part, values in _parts(name, column):
                full = full.append_column(part, _texts_or_numbers(values, part, path))
        style = "needed" if _needs_quotes(full) else "none"
        with whole(path) as partial, partial.open("wb") as stream:
            stream.write((",".join(map(_quoted, full.column_names)) + "\n").encode())
            arrow_csv.write_csv(full, stream, arrow_csv.WriteOptions(include_header=False, quoting_style=style))

    def read(self, path: Path) -> Tracks:
        """The tracks in the file, oldest picture first.

        Needed are ``frame_index``, ``track``, ``x1``, ``y1``, ``x2``, ``y2``, in any order. Without a column
        ``camera`` the file's name is taken; without ``t_s``, NaN; ``score``, 1; ``class``, "object"; without
        ``detection`` the rows of each picture are counted. Any other column comes back as an extra one.

        Raises:
            FormatError: names the file, the line and the column, and what was expected there.
            OSError: the file cannot be read.
        """
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        names = _header(path, data)
        found = _by_arrow(path, data, names)
        others = {name: _typed(found[name]) for name in names if name not in NAMES}
        return tracks_in(found, path, lambda row: f"{path}: line {_line(data, row)}", _joined(others))


def _parts(name: str, column: Shaped[np.ndarray, "n ..."]) -> Iterator[tuple[str, Shaped[np.ndarray, " n"]]]:
    """The columns of one number per row that an extra column is made of."""
    flat = column.reshape(len(column), math.prod(column.shape[1:]))
    for k, place in enumerate(np.ndindex(column.shape[1:])):
        yield name + "".join(f"[{at}]" for at in place), flat[:, k]


def _texts_or_numbers(values: Shaped[np.ndarray, " n"], name: str, path: Path) -> pa.Array:
    try:
        column = pa.array(np.ascontiguousarray(values), from_pandas=True)
        return column if pa.types.is_string(column.type) else column.cast(_plain(column.type))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        raise FormatError(f"{path}: extra column {name!r} holds neither numbers nor texts") from None


def _plain(kind: pa.DataType) -> pa.DataType:
    """Types that CSV has a way to write; the rest as text."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return pa.float32() if kind == pa.float16() else kind
    return pa.string()


def _needs_quotes(full: pa.Table) -> bool:
    """Whether some text holds what parts fields, or is empty and not absent."""
    texts = [column for column in full.columns if column.type in {TEXT, pa.string()}]
    return any(
        _NOT_PLAIN.search(text) for column in texts for text in pc.unique(column).to_pylist() if text is not None
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if _NOT_PLAIN.search(name) else name


def _header(path: Path, data: bytes) -> list[str]:
    """The names in the first line."""
    try:
        names = next(csv.reader(_lines(data)), [])
    except (UnicodeDecodeError, csv.Error):
        names = []
    names = [name.strip() for name in names]
    if not any(names):
        raise FormatError(f"{path}: line 1: expected the names of the columns, such as {','.join(NAMES)}")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise FormatError(f"{path}: line 1: column {twice[0]!r} is there {names.count(twice[0])} times")
    return names


def _by_arrow(path: Path, data: bytes, names: list[str]) -> pa.Table:
    """All rows; every column of ours with its type, every other as text."""
    types = {name: TYPES.get(name, pa.float64()) if name in NAMES else pa.string() for name in names}
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(column_names=names, skip_rows_after_names=1),
            arrow_csv.ParseOptions(newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise FormatError(_first_fault(path, data, names) or f"{path}: {str(error).splitlines()[0]}") from None


def _first_fault(path: Path, data: bytes, names: list[str]) -> str | None:
    """What is wrong in the first line that is wrong."""
    reader = csv.reader(_lines(data))
    try:
        next(reader)
        for fields in reader:
            where = f"{path}: line {reader.line_num}"
            if fields and len(fields) != len(names):
                return f"{where}: expected {len(names)} columns as in line 1, found {len(fields)}"
            for name, text in zip(names, fields, strict=False):
                wanted = TYPES.get(name, pa.float64()) if name in NAMES else TEXT
                if not _fits(text, wanted):
                    kind = "a whole number" if wanted == pa.int64() else "a number"
                    return f"{where}: {name} is {text[:30]!r}, expected {kind}"
    except (csv.Error, UnicodeDecodeError) as error:
        return f"{path}: line {reader.line_num + 1}: {error}"
    return None


def _fits(text: str, wanted: pa.DataType) -> bool:
    if wanted == TEXT or not text or _PLAIN_NUMBER[wanted].fullmatch(text):
        return True
    try:
        pa.array([text]).cast(wanted)
    except pa.ArrowInvalid:
        return False
    return True


def _lines(data: bytes) -> Iterator[str]:
    return (line.decode("utf-8") for line in data.splitlines(keepends=True))


def _line(data: bytes, row: int) -> int:
    """The line in which a row starts: the header and blank lines count, and so do line ends inside quotes."""
    reader = csv.reader(_lines(data))
    before, at = 0, -1
    for fields in reader:
        at += bool(fields)
        if at == row + 1:
            return before + 1
        before = reader.line_num
    return before


def _typed(texts: pa.ChunkedArray) -> Shaped[np.ndarray, " n"]:
    """Whole numbers where all are, else numbers, else true and false, else texts."""
    for kind in _NUMBERS:
        try:
            column = texts.cast(kind)
        except pa.ArrowInvalid:
            continue
        if kind == pa.float64() or not column.null_count:
            return column.to_numpy() if kind != pa.bool_() else column.to_numpy(zero_copy_only=False)
    return np.asarray(texts.fill_null("").to_pylist(), dtype=str)


def _joined(columns: Mapping[str, Shaped[np.ndarray, " n"]]) -> dict[str, Shaped[np.ndarray, "n ..."]]:
    """Columns ``name[0]``, ``name[1]``, ... put together again; those with gaps in their counting stay apart."""
    parts: dict[str, dict[tuple[int, ...], str]] = {}
    for full in columns:
        match = _PART.fullmatch(full)
        if match:
            place = tuple(map(int, re.findall(r"\d+", match["place"])))
            parts.setdefault(match["name"], {})[place] = full
    joined: dict[str, Shaped[np.ndarray, "n ..."]] = dict(columns)
    for name, places in parts.items():
        shape = tuple(k + 1 for k in max(places)) if len({*map(len, places)}) == 1 else ()
        if name not in columns and sorted(places) == list(itertools.product(*map(range, shape))):
            stacked = np.stack([joined.pop(places[place]) for place in sorted(places)], axis=1)
            joined[name] = stacked.reshape(len(stacked), *shape)
    return joined
