"""Rows of ``paths.csv``: where everybody went, on the map and on earth, when, how fast, and how sure that is."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from sightline.formats import tabular
from sightline.geodesy.course import STILL_MPS
from sightline.geodesy.maps import enu_from_map, wgs84_from_map
from sightline.model.site import Site

SCHEMA = pa.schema(
    [
        ("global_id", pa.string()),
        *((name, pa.float64()) for name in ("t_s", "x_m", "y_m", "map_x", "map_y", "speed_mps")),
        ("n_cameras", pa.int64()),
        ("time", pa.string()),
        *((name, pa.float64()) for name in ("lat_deg", "lon_deg", "ce90_m", "heading_deg")),
    ]
)
"""Columns of the file."""
_DECIMALS = dict.fromkeys(("x_m", "y_m", "map_x", "map_y", "speed_mps", "ce90_m"), 4)
_DECIMALS |= {"lat_deg": 8, "lon_deg": 8, "heading_deg": 1}
"""Tenths of a millimetre, about as much in degrees, and tenths of a degree of heading."""


def table(site: Site, who: pa.Array, column: Mapping[str, np.ndarray]) -> pa.Table:
    """Rows with the ids ``who``; ``column`` has t_s, x_m, y_m, vx_mps, vy_mps (metres of the map), ce90_m, n_cameras.

    Degrees and headings are empty where it is not known where on earth the map is, times where not when it began.
    """
    scale, anchor = site.map.metres_per_unit or 1.0, site.map.anchor
    speed_mps = np.hypot(column["vx_mps"], column["vy_mps"])
    said = {name: column[name] for name in ("t_s", "x_m", "y_m", "n_cameras", "ce90_m")}
    said |= {"map_x": column["x_m"] / scale, "map_y": column["y_m"] / scale, "speed_mps": speed_mps}
    said |= dict.fromkeys(("lat_deg", "lon_deg", "heading_deg"), np.full(len(speed_mps), np.nan))
    if anchor is not None:
        said["lat_deg"], said["lon_deg"] = wgs84_from_map(anchor, np.column_stack([column["x_m"], column["y_m"]]))
        east, north = enu_from_map(anchor) @ np.stack([column["vx_mps"], column["vy_mps"]])
        said["heading_deg"] = np.where(speed_mps >= STILL_MPS, np.rad2deg(np.arctan2(east, north)) % 360, np.nan)
    rounded = {name: values.round(_DECIMALS[name]) if name in _DECIMALS else values for name, values in said.items()}
    columns = {name: pa.array(values, from_pandas=True) for name, values in rounded.items()}
    columns |= {"global_id": who, "time": tabular.times(column["t_s"], site.begins_utc_s)}
    return pa.table(columns).select(SCHEMA.names)
