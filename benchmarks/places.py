"""A million places written in every format, beside the plain way.

``python benchmarks/places.py [--rows 1000000]``

Processor seconds and megabytes per format, and the ratio to what people write by hand: a dictionary for each row and
``json.dumps`` for GeoJSON, f-strings in a loop for XML, the ``csv`` module for tables. The peers write the same fields,
and are given columns that are ready: latitude and longitude are not computed again.
The numbers mean nothing for a few thousand rows.
"""

import argparse
import csv
import json
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from sightline.formats.places import ENDINGS, About, write
from sightline.formats.places.rows import rows_of
from sightline.model.positions import Origin, Positions

UTC_NS = 1_779_009_571_701_000_000


def made_up(n, tracks=2000):
    """Places of things that walk, all in view at once."""
    random = np.random.default_rng(0)
    frame, number = np.divmod(np.arange(n), tracks)
    xyz = np.column_stack([random.normal(0, 200, (n, 2)), np.zeros(n)])
    cov = np.tile(np.diag([4.0, 2.0, 9.0]), (n, 1, 1))
    velocity = random.normal(0, 2, (n, 3))
    places = Positions(
        origin=Origin(51.476, -3.189, 63.0), frame_index=frame, t_s=frame / 25, number=number + 1, xyz_enu_m=xyz,
        cov_enu_m2=cov, velocity_enu_mps=velocity, cov_velocity_m2ps2=cov,
    )  # fmt: skip
    return places, About(utc_ns=UTC_NS, height_is="ellipsoid", classes=("person", "car"), label=number % 2)


def ready(positions, about):
    """Plain columns for the peers."""
    rows = rows_of(positions, about)
    names = ("number", "frame_index", "t_s", "lat_deg", "lon_deg", "ce90_m", "le90_m", "speed_mps", "heading_deg")
    columns = [np.round(getattr(rows, name), 7).tolist() for name in names]
    return list(zip(*columns, [about.classes[k] for k in rows.label], strict=True))


def moment(t_s):
    return datetime.fromtimestamp(UTC_NS / 1e9 + t_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def feature(row):
    number, frame, t_s, lat, lon, ce, _, speed, heading, name = row
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {
            "track": number, "class": name, "frame": frame, "t_s": t_s, "time": moment(t_s), "speed_mps": speed,
            "heading_deg": heading, "ce90_m": ce,
        },
    }  # fmt: skip


def plain_geojson(rows, path):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature(row) for row in rows]}))


def plain_xml(rows, path):
    with path.open("w") as out:
        for number, _, t_s, lat, lon, ce, le, speed, heading, name in rows:
            at = moment(t_s)
            out.write(
                f'<event uid="{number}" time="{at}" start="{at}" stale="{moment(t_s + 10)}"><point lat="{lat:.7f}" '
                f'lon="{lon:.7f}" ce="{ce:.2f}" le="{le:.2f}"/><detail><contact callsign="{name} {number}"/>'
                f'<track course="{heading:.2f}" speed="{speed:.3f}"/></detail></event>\n'
            )


def plain_csv(rows, path):
    with path.open("w", newline="") as out:
        csv.writer(out).writerows((*row, moment(row[2])) for row in rows)


def cpu_s(action, *given):
    before = time.process_time()
    action(*given)
    return time.process_time() - before


def main(n, folder):
    positions, about = made_up(n)
    rows = ready(positions, about)
    plain = {}
    print(f"{n} places; {'':14} {'CPU s':>8} {'MB':>8}   times as fast as the plain way")
    for name, action in (("json.dumps", plain_geojson), ("XML by hand", plain_xml), ("csv module", plain_csv)):
        path = folder / "plain"
        plain[name] = cpu_s(action, rows, path)
        print(f"{name:24} {plain[name]:8.2f} {path.stat().st_size / 1e6:8.1f}")
    del rows
    for ending in ENDINGS:
        path = folder / f"places.{ending}"
        took = cpu_s(write, path, positions, about)
        peer = "json.dumps" if "json" in ending else "csv module" if ending in {"csv", "parquet"} else "XML by hand"
        ratio = "" if ending == "html" else f"{plain[peer] / took:.1f} x {peer}"
        print(f"{ending:24} {took:8.2f} {path.stat().st_size / 1e6:8.1f}   {ratio}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        main(asked.rows, Path(place))
