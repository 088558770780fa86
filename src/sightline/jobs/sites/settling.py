"""Who was who, found out when all parts of a site's recordings were watched, and written down."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int
from pyarrow import csv

from sightline.files import whole
from sightline.identifiers.ground import Ground
from sightline.jobs.sites import messages, rows
from sightline.jobs.sites.watching import views_of
from sightline.model.identities import Identities, Sightings
from sightline.model.site import Site

_Numbers = Int[np.ndarray, " n"]


def settled(
    site: Site, seen: Sequence[Path], sizes: Mapping[str, tuple[int, int]], task_id: str, folder: Path
) -> tuple[dict[str, Any], _Numbers, _Numbers]:
    """A summary, and the number of everybody's identity as it was said at once, and as it is now.

    Writes ``sightings.parquet``, every sighting with its identity, and ``paths.csv``, where everybody went.

    Raises:
        OSError: a file cannot be written.
    """
    cameras = [watch.id for watch in site.watches]
    # Where nobody was seen, nobody knows how many numbers looks have.
    seen = [path for path in seen if pq.read_metadata(path).num_rows] or seen[:1]
    parts = [rows.read(path, cameras) for path in seen]
    sightings = Sightings.joined([part[1] for part in parts])
    before = np.concatenate([part[2] for part in parts])
    found = Ground(views=views_of(site, sizes)).identify(sightings)
    _write_sightings(seen, found.number, task_id, folder / "sightings.parquet")
    _write_paths(site, found, task_id, folder / "paths.csv")
    is_somebody = found.number > 0
    summary = {
        "site": site.id,
        "sightings": len(sightings),
        "identities": len(np.unique(found.number[is_somebody])),
        "sightings_of_nobody": int((~is_somebody).sum()),
    }
    return summary, before, found.number


def _write_sightings(seen: Sequence[Path], number: _Numbers, task_id: str, path: Path) -> None:
    """All columns, with the identities that hold."""
    table = pa.concat_tables([pq.read_table(one) for one in seen])
    names = [messages.identity(task_id, who) for who in number.tolist()]
    table = table.set_column(table.column_names.index("identity"), "identity", pa.array(number))
    table = table.append_column("global_id", pa.array(names, pa.string()))
    with whole(path) as file:
        pq.write_table(table, file, compression="zstd")


def _write_paths(site: Site, found: Identities, task_id: str, path: Path) -> None:
    """Where everybody went, one row for each moment."""
    paths, scale = found.paths, site.map.metres_per_unit or 1.0
    columns = {
        "global_id": pa.array([messages.identity(task_id, who) for who in paths.number.tolist()], pa.string()),
        "t_s": paths.t_s,
        "x_m": paths.xy_enu_m[:, 0],
        "y_m": paths.xy_enu_m[:, 1],
        "map_x": paths.xy_enu_m[:, 0] / scale,
        "map_y": paths.xy_enu_m[:, 1] / scale,
        "speed_mps": np.linalg.norm(paths.velocity_enu_mps, axis=1),
        "n_cameras": paths.n_cameras,
    }
    with whole(path) as file:
        csv.write_csv(pa.table(columns), str(file))
