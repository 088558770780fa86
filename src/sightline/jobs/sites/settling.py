"""Who was who, found out when all parts of a site's recordings were watched, and written down.

Everything is read and written some rows at a time: what is in memory does not grow with the length of the day.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Int
from pyarrow import csv

from sightline.estimation.circle import ce90_m
from sightline.files import whole
from sightline.identifiers.ground import Ground
from sightline.identifiers.parts import Late, late_of
from sightline.jobs.sites import messages, ways
from sightline.jobs.sites.naming import Counts, homes, lasting
from sightline.jobs.sites.recorded import Recorded
from sightline.jobs.sites.watching import views_of
from sightline.model.identities import NOBODY, Trajectories
from sightline.model.site import Site

_BESIDE = ".settling-"
"""Begins the name of the folder with what is not settled yet."""
_Numbers = Int[np.ndarray, " n"]
_MEASURED = "t_s", "x_m", "y_m", "vx_mps", "vy_mps", "ce90_m"
_PATHS = pa.schema([("number", pa.int64()), *((name, pa.float64()) for name in _MEASURED), ("n_cameras", pa.int64())])


def settled(
    site: Site, seen: Sequence[Path], sizes: Mapping[str, tuple[int, int]], task_id: str, folder: Path
) -> tuple[dict[str, Any], Counts]:
    """A summary, and how many sightings of whom, as it was said at once, turned out to be whose.

    Writes ``sightings.parquet``, every sighting with its identity, and ``paths.csv``, where everybody went: in pieces
    of some twenty minutes, by identity and time in each. Identities go on under the numbers that were said at once,
    see ``naming``; so numbers need not count from 1. Cameras that can place nobody on the map have no say in who is
    who: whom they saw is who was said at once, or whom that turned out to be elsewhere.

    Raises:
        OSError: a file cannot be read or written.
    """
    # Where nobody was seen, nobody knows how many numbers looks have.
    seen = [path for path in seen if pq.read_metadata(path).num_rows] or seen[:1]
    recorded = Recorded(seen, [watch.id for watch in site.watches])
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_BESIDE}*"):  # by a run that was killed
        rmtree(left)
    with TemporaryDirectory(dir=folder, prefix=_BESIDE) as beside, _Found(Path(beside), len(recorded)) as found:
        late = list[Late]()
        for stretch in Ground(views=views_of(site, sizes)).stretches(recorded):
            found.add(stretch.row, stretch.number, stretch.paths)
            late.append(stretch.late_s)
        counts = _counted(recorded, found)
        found.call(_of_somebody(counts), int(counts[:, 0].max(initial=0)), recorded.placing())
        counts = _counted(recorded, found)
        names = pa.array([messages.identity(task_id, who) for who in range(found.most + 1)], pa.string())
        _write_sightings(recorded, found, names, pq.read_schema(seen[0]), folder / "sightings.parquet")
        _write_paths(site, found, names, folder / "paths.csv")
    is_somebody = counts[:, 1] > 0
    summary = {
        "site": site.id,
        "sightings": len(recorded),
        "identities": len(np.unique(counts[is_somebody, 1])),
        "sightings_of_nobody": int(counts[~is_somebody, 2].sum()),
        "late_s": _late(site, late),
    }
    return summary, _of_somebody(counts)


def _late(site: Site, several: Sequence[Late]) -> dict[str, float]:
    """By camera, how late its clock was, of those that were."""
    told = late_of(several)
    pairs = zip(site.watches, [] if told is None else told.round(2).tolist(), strict=False)
    return {watch.id: seconds for watch, seconds in pairs if seconds}


def _of_somebody(counts: Counts) -> Int[np.ndarray, "s 3"]:
    """Those of somebody, who was somebody at once, too."""
    return counts[(counts[:, :2] > 0).all(axis=1)]


@final
class _Found:
    """Who is who, on disk for the meantime: identities by row, and paths."""

    def __init__(self, folder: Path, n_rows: int) -> None:
        self._folder, self._n = folder, n_rows
        self._called: _Numbers | None = None
        self.most = 0

    def __enter__(self) -> "_Found":
        self._numbers = (self._folder / "numbers").open("w+b")
        self._numbers.truncate(4 * self._n)  # whom nobody says anything of is nobody
        self._paths = pq.ParquetWriter(self._folder / "paths.parquet", _PATHS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._numbers.close()
        self._paths.close()

    def add(self, row: _Numbers, number: _Numbers, paths: Trajectories) -> None:
        """Keeps the identities of some rows, and a piece of the paths."""
        self.most = max(self.most, int(number.max(initial=0)), int(paths.number.max(initial=0)))
        breaks = np.flatnonzero(np.diff(row) != 1) + 1
        for first, some in zip(np.split(row, breaks), np.split(number, breaks), strict=True):
            if len(first):
                self._numbers.seek(4 * int(first[0]))
                self._numbers.write((some - NOBODY).astype(np.int32).tobytes())
        places = [*paths.xy_enu_m.T, *paths.velocity_enu_mps.T, ce90_m(paths.cov_enu_m2)]
        columns = [paths.number, paths.t_s, *places, paths.n_cameras]
        self._paths.write_table(pa.table(columns, schema=_PATHS))

    def call(self, counts: Counts, n_said: int, placing: frozenset[str]) -> None:
        """From now on, identities have lasting numbers, and cameras but those ``placing`` see who was said at once."""
        number, home = lasting(counts, n_said, self.most), homes(counts)
        self._called, self._said = np.append(number, NOBODY), np.append(np.arange(n_said + 1), NOBODY)
        self._said[[0, *home[:, 0]]] = [NOBODY, *number[home[:, 1] - 1]]
        self._placing = pa.array(sorted(placing), pa.string())
        self.most = max(n_said, int(number.max(initial=0)))

    def numbers(self, first: int, table: pa.Table) -> _Numbers:
        """The identities of the rows in ``table``, of which the first is ``first``."""
        self._numbers.seek(4 * first)
        number = np.frombuffer(self._numbers.read(4 * len(table)), np.int32).astype(np.int64) + NOBODY
        if self._called is None:
            return number
        is_placing = pc.is_in(table["camera"], self._placing).to_numpy()
        return np.where(is_placing, self._called[np.maximum(number, 0) - 1], self._said[table["identity"].to_numpy()])

    def paths(self) -> Iterator[pa.Table]:
        """The pieces of the paths; nothing can be added any more."""
        self._paths.close()
        with pq.ParquetFile(self._folder / "paths.parquet") as file:
            for group in range(file.num_row_groups):
                piece = file.read_row_group(group, use_threads=False)
                number = piece["number"].to_numpy()
                yield (
                    piece if self._called is None else piece.set_column(0, "number", pa.array(self._called[number - 1]))
                )


def _counted(recorded: Recorded, found: _Found) -> Counts:
    """How many sightings were said at once to be whose, and turned out to be whose; nobody's among them."""
    total = Counter[tuple[int, int]]()
    for first, table in recorded.tables(["camera", "identity"]):
        pairs = np.column_stack([table["identity"].to_numpy(), found.numbers(first, table)])
        each, count = np.unique(pairs, axis=0, return_counts=True)
        total.update(dict(zip(map(tuple, each.tolist()), count.tolist(), strict=True)))
    rows = [(said, number, count) for (said, number), count in sorted(total.items())]
    return np.array(rows, np.int64).reshape(-1, 3)


def _write_sightings(recorded: Recorded, found: _Found, names: pa.Array, schema: pa.Schema, path: Path) -> None:
    """All columns, with the identities that hold."""
    schema = schema.append(pa.field("global_id", pa.string())).remove_metadata()
    with whole(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for first, table in recorded.tables():
            number = found.numbers(first, table)
            full = table.set_column(table.column_names.index("identity"), "identity", pa.array(number))
            writer.write_table(full.append_column("global_id", _named(names, number)).cast(schema))


def _write_paths(site: Site, found: _Found, names: pa.Array, path: Path) -> None:
    """Where everybody went, one row for each moment."""
    with whole(path) as file, csv.CSVWriter(str(file), ways.SCHEMA) as writer:
        for piece in found.paths():
            column = {name: piece[name].to_numpy() for name in _PATHS.names}
            writer.write_table(ways.table(site, _named(names, column.pop("number")), column))


def _named(names: pa.Array, number: _Numbers) -> pa.Array:
    """What identities are called; nobody is called nothing."""
    return names.take(pa.array(np.maximum(number, 0)))
