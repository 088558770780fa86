"""All that was seen on a site, in the files of its parts, read as far as it is needed: never all at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Bool, Float, Int

from sightline.identifiers.moments import AROUND_S
from sightline.identifiers.parts import Looked, Part, Piece, Taken, middle
from sightline.jobs.sites import rows

_Ints = Int[np.ndarray, " n"]
_AT_ONCE = 4
"""Groups of rows that are read at a time: with looks, four are seven megabytes, and ten times that while they are
unpacked."""
_PIECE_S = 240.0
"""Long against ``AROUND_S``, that little is read twice."""


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """The groups of rows of one file."""

    path: Path
    """The file."""
    row: Int[np.ndarray, " g"]
    """The first row of each, counted over all files."""
    low_s: Float[np.ndarray, " g"]
    """The first time in each."""
    high_s: Float[np.ndarray, " g"]
    """The last one."""

    def read(self, which: Bool[np.ndarray, " g"], columns: Sequence[str] | None) -> Iterator[tuple[int, pa.Table]]:
        """The rows of some groups in succession, with the number of the first; no ``columns``: all of them."""
        wanted = np.flatnonzero(which)
        if not len(wanted):
            return
        with pq.ParquetFile(self.path) as file:
            for some in np.array_split(wanted, -(-len(wanted) // _AT_ONCE)):
                yield int(self.row[some[0]]), file.read_row_groups(some.tolist(), columns, use_threads=False)


@final
class Recorded:
    """The files in the order of time, as ``rows.SeenFile`` writes them; a ``Recording`` for identifiers.

    What is in memory grows with the length of what is asked for, not with that of the recording.
    """

    def __init__(self, paths: Sequence[Path], cameras: Sequence[str]) -> None:
        """Reads which times are where.

        Raises:
            OSError: a file cannot be read.
        """
        self._cameras, self._files, self._n = tuple(cameras), list[_Groups](), 0
        self._spell: tuple[float, float] | None = None
        self._placing = set[str]()
        for path in paths:
            self._files.append(self._about(path))

    def __len__(self) -> int:
        return self._n

    def spell(self) -> tuple[float, float] | None:
        """Since when and until when sightings have a place; None: none has."""
        return self._spell

    def placing(self) -> frozenset[str]:
        """Cameras that could place anybody at all."""
        return frozenset(self._placing)

    def looked_at(self, part: Part) -> Looked:
        """What is looked at of a part."""
        row, camera, track, t_s, xy_m = self._placed(part)
        taken, tables = Taken(t_s, camera, track), list[pa.Table]()
        shown = row[taken.shown]
        for first, table in self._between(*_bounds(part), None):
            low, high = np.searchsorted(row, [first, first + len(table)]).tolist()
            taken.add(low, rows.looks_of(table)[row[low:high] - first])
            mine = shown[slice(*np.searchsorted(shown, [first, first + len(table)]))] - first
            tables.append(
                table.drop_columns([name for name in ("look",) if name in table.column_names]).take(pa.array(mine))
            )
        pa.default_memory_pool().release_unused()  # kept for Arrow else, and most work is not Arrow's
        found = pa.concat_tables(tables) if tables else None
        sightings = rows.nothing(self._cameras) if found is None else rows.sightings_of(found, self._cameras)
        return Looked(sightings, taken.glances(), shown, middle(xy_m))

    def pieces(self, part: Part) -> Iterator[Piece]:
        """All sightings of a part, some minutes at a time."""
        low_s, high_s = _bounds(part)
        low_s = max(low_s, min(file.low_s.min(initial=np.inf) for file in self._files))
        high_s = min(high_s, max(file.high_s.max(initial=-np.inf) for file in self._files))
        if low_s <= high_s:
            begin_s = low_s + _PIECE_S * np.arange(int((high_s - low_s) / _PIECE_S) + 1)
            for one_s, next_s in pairwise([*begin_s.tolist(), np.nextafter(high_s, np.inf)]):
                yield self._piece(part, one_s, next_s)

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[tuple[int, pa.Table]]:
        """All rows in their order, some at a time, with the number of the first."""
        for file in self._files:
            yield from file.read(np.ones(len(file.row), bool), columns)

    def _piece(self, part: Part, begin_s: float, end_s: float) -> Piece:
        around_s = AROUND_S + 1e-6  # whatever rounding makes of the difference of two times
        row, camera, track, t_s = [], [], [], []
        for first, table in self._between(begin_s - around_s, end_s + around_s, ["t_s", "camera", "track"]):
            times = table["t_s"].to_numpy()
            near = np.flatnonzero((times >= begin_s - around_s) & (times <= end_s + around_s) & part.holds(times))
            row.append(first + near)
            camera.append(rows.camera_of(table, self._cameras)[near])
            track.append(table["track"].to_numpy()[near])
            t_s.append(times[near])
        at_s = _together(t_s, np.float64)
        inner = (at_s >= begin_s) & (at_s < end_s)
        return Piece(_together(row), _together(camera), _together(track), at_s, inner)

    def _placed(self, part: Part) -> tuple[_Ints, _Ints, _Ints, Float[np.ndarray, " n"], Float[np.ndarray, "n 2"]]:
        """Row, camera, track, time and place of those in a part that have one."""
        row, camera, track, t_s, xy_m = [], [], [], [], [np.zeros((0, 2))]
        for first, table in self._between(*_bounds(part), ["t_s", "camera", "track", "x_m", "y_m"]):
            times, place = table["t_s"].to_numpy(), _place(table)
            here = np.flatnonzero(part.holds(times) & np.isfinite(place).all(axis=1))
            row.append(first + here)
            camera.append(rows.camera_of(table, self._cameras)[here])
            track.append(table["track"].to_numpy()[here])
            t_s.append(times[here])
            xy_m.append(place[here])
        return _together(row), _together(camera), _together(track), _together(t_s, np.float64), np.concatenate(xy_m)

    def _between(self, low_s: float, high_s: float, columns: Sequence[str] | None) -> Iterator[tuple[int, pa.Table]]:
        """Rows among which are all those from ``low_s`` to ``high_s``."""
        for file in self._files:
            yield from file.read((file.high_s >= low_s) & (file.low_s <= high_s), columns)

    def _about(self, path: Path) -> _Groups:
        """Where a file's times are; the rows are counted on."""
        first, low, high = [], [], []
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, ["t_s", "camera", "x_m", "y_m"], use_threads=False)
                times = table["t_s"].to_numpy()
                first.append(self._n)
                low.append(times.min(initial=np.inf))
                high.append(times.max(initial=-np.inf))
                self._n += len(table)
                placed = np.isfinite(_place(table)).all(axis=1)
                self._placing |= set(pc.unique(table["camera"].filter(pa.array(placed))).to_pylist())
                self._note_spell(times[placed])
        return _Groups(path, np.array(first, np.int64), np.array(low, np.float64), np.array(high, np.float64))

    def _note_spell(self, placed_s: Float[np.ndarray, " n"]) -> None:
        if len(placed_s):
            low_s, high_s = self._spell or (np.inf, -np.inf)
            self._spell = min(low_s, float(placed_s.min())), max(high_s, float(placed_s.max()))


def _bounds(part: Part) -> tuple[float, float]:
    """Since when and until when a part holds anything."""
    return min(part.begin_s, part.from_s), max(part.end_s, part.until_s)


def _place(table: pa.Table) -> Float[np.ndarray, "n 2"]:
    return np.column_stack([table["x_m"].to_numpy(), table["y_m"].to_numpy()])


def _together(several: Sequence[np.ndarray], kind: type = np.int64) -> np.ndarray:
    return np.concatenate([np.zeros(0, kind), *several]).astype(kind)
