"""``paths.csv`` of a site that was watched, read back as places on earth."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float
from pyarrow import csv

from sightline.errors import FormatError
from sightline.formats import native
from sightline.formats.places.about import About
from sightline.geodesy.enu import enu_from_wgs84
from sightline.model.positions import Origin, Positions

_ROUND = 2.145966
"""Standard deviations of the circle that holds 90 %, for errors alike in all directions: the root of 2 ln 10."""
_KINDS = {
    "global_id": pa.string(), "t_s": pa.float64(), "lat_deg": pa.float64(), "lon_deg": pa.float64(),
    "ce90_m": pa.float64(), "speed_mps": pa.float64(), "heading_deg": pa.float64(),
    "time": pa.timestamp("ms", tz="UTC"),
}  # fmt: skip


def read_paths(path: Path) -> tuple[Positions, About]:
    """Everybody's ways, tracks numbered from 1 by first row; how sure a place is counts alike in all directions.

    Raises:
        FormatError: the file is no ``paths.csv``, or its site has no place on earth.
        OSError: it cannot be read.
    """
    convert = csv.ConvertOptions(include_columns=list(_KINDS), column_types=_KINDS)
    with native.opened(path) as stream:
        try:
            table = csv.read_csv(stream, read_options=csv.ReadOptions(use_threads=False), convert_options=convert)
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise FormatError(f"{path}: not paths.csv of sightline run ({str(error).splitlines()[0]})") from None
    column = {name: table[name].to_numpy() for name in _KINDS if name not in {"global_id", "time"}}
    known = np.isfinite(column["lat_deg"]) & np.isfinite(column["lon_deg"])
    if not known.any():
        raise FormatError(f"{path}: nobody in it has a place on earth; give the site's map an anchor and run it again")
    origin = Origin(float(column["lat_deg"][known][0]), float(column["lon_deg"][known][0]), name="the first place")
    codes = table["global_id"].combine_chunks().dictionary_encode()
    n = len(table)
    cov_m2 = np.full((n, 3, 3), np.nan)
    cov_m2[:, :2, :2] = np.square(column["ce90_m"] / _ROUND)[:, None, None] * np.eye(2)
    unknown = np.full((n, 3, 3), np.nan)
    positions = Positions(
        origin=origin,
        frame_index=np.zeros(n, np.int64),
        t_s=column["t_s"],
        number=codes.indices.to_numpy().astype(np.int64) + 1,
        xyz_enu_m=enu_from_wgs84(origin, column["lat_deg"], column["lon_deg"], np.zeros(n)),
        cov_enu_m2=cov_m2,
        velocity_enu_mps=_velocity(column["speed_mps"], column["heading_deg"]),
        cov_velocity_m2ps2=unknown,
    )
    return positions, About(name=path.parent.name or path.stem, utc_ns=_zero_ns(table), classes=("person",))


def _velocity(speed_mps: Float[np.ndarray, " n"], heading_deg: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
    """East, north and up; who stands has no heading, and goes nowhere."""
    heading_rad = np.deg2rad(np.nan_to_num(heading_deg))
    moves_mps = np.where(np.isfinite(heading_deg), speed_mps, 0.0)
    flat = [moves_mps * np.sin(heading_rad), moves_mps * np.cos(heading_rad), np.zeros(len(speed_mps))]
    return np.stack(flat, axis=1)


def _zero_ns(table: pa.Table) -> int | None:
    """When the site's clock was 0, in nanoseconds of 1970; None where the file does not say."""
    if not len(table) or table["time"][0].as_py() is None:
        return None
    ms = table["time"][0].cast(pa.timestamp("ms")).cast(pa.int64()).as_py() - round(1e3 * table["t_s"][0].as_py())
    return int(ms) * 1_000_000
