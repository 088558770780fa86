"""Elevation models in GeoTIFF, and the ground that is made of them."""

import struct

import cv2
import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.formats.elevation import read
from sightline.geodesy.enu import wgs84_from_enu
from sightline.geodesy.terrain import met, terrain_about
from sightline.model.positions import Origin

KEYS = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
SCALE, TIE = (0.001, 0.001, 0.0), (0.0, 0.0, 0.0, -3.2, 51.5, 0.0)


def geotiff(path, heights, *, keys=KEYS, scale=SCALE, tie=TIE, mark=b"-32768\0"):
    """Writes one: what OpenCV makes, with a second directory that has the entries of GeoTIFF too."""
    data = cv2.imencode(".tiff", heights)[1].tobytes()
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (n,) = struct.unpack_from(f"{order}H", data, at)
    entries = [data[at + 2 + 12 * k : at + 14 + 12 * k] for k in range(n)]
    for tag, kind, code, values in ((33550, 12, "d", scale), (33922, 12, "d", tie), (34735, 3, "H", keys)):
        if values is None:
            continue
        entries.append(struct.pack(f"{order}HHII", tag, kind, len(values), len(data)))
        data += struct.pack(f"{order}{len(values)}{code}", *values)
    entries.append(struct.pack(f"{order}HHII", 42113, 2, len(mark), len(data)))
    data += mark
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)
    path.write_bytes(data[:4] + struct.pack(f"{order}I", len(data)) + data[8:] + directory)
    return path


HEIGHTS = (100 + np.add.outer(np.arange(40), 2 * np.arange(60))).astype(np.float32)


@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_heights_are_where_they_are(tmp_path, kind):
    found = read(geotiff(tmp_path / "a.tif", HEIGHTS.astype(kind)))
    assert found.lat_deg[-1] == pytest.approx(51.4995)
    assert found.lon_deg[0] == pytest.approx(-3.1995)
    assert (np.diff(found.lat_deg) > 0).all()
    np.testing.assert_allclose(found.height_m[::-1], HEIGHTS)
    point = read(geotiff(tmp_path / "b.tif", HEIGHTS.astype(kind), keys=(*KEYS[:11], 2, *KEYS[12:])))
    assert point.lat_deg[-1] == pytest.approx(51.5)


def test_places_without_data_are_unknown(tmp_path):
    holes = HEIGHTS.copy()
    holes[3, 4], holes[5, 6] = -32768, 7
    found = read(geotiff(tmp_path / "a.tif", holes, mark=b"7.000\0")).height_m[::-1]
    assert np.isnan(found[3, 4])
    assert np.isnan(found[5, 6])
    assert np.isfinite(found).sum() == holes.size - 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keys": (*KEYS[:7], 1, *KEYS[8:])}, "not in degrees"),
        ({"keys": (*KEYS[:15], 32615)}, "not in degrees"),
        ({"scale": None}, "does not say where it lies"),
        ({"tie": None}, "does not say where it lies"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path, change, said):
    with pytest.raises(FormatError, match=said):
        read(geotiff(tmp_path / "a.tif", HEIGHTS, **change))


def test_files_cut_off_and_other_files_are_refused(tmp_path):
    whole = geotiff(tmp_path / "a.tif", HEIGHTS).read_bytes()
    path = tmp_path / "b.tif"
    for data in (b"", b"nothing of the kind", whole[:6], whole[:-30]):
        path.write_bytes(data)
        with pytest.raises(FormatError, match=r"b\.tif"):
            read(path)
    colours = cv2.imencode(".tiff", np.zeros((4, 4, 3), np.uint8))[1].tobytes()
    path.write_bytes(colours)
    with pytest.raises(FormatError, match="not in degrees"):
        read(path)


@pytest.mark.parametrize("datum_m", [0.0, 48.7])
def test_the_ground_counts_from_the_take_off_whatever_the_models_datum(datum_m):
    lat, lon = np.linspace(51.4, 51.6, 201), np.linspace(-3.3, -3.0, 301)
    rising = 90.0 + datum_m + 1000 * (lat[:, None] - 51.5) + 0 * lon
    origin = Origin(51.5, -3.15, 120.0)
    ground = terrain_about(origin, (51.5, -3.15), lat, lon, rising, reach_m=500.0, step_m=10.0)
    x, y = np.array([0.0, 0.0, 300.0]), np.array([0.0, 400.0, -250.0])
    there, _, _ = wgs84_from_enu(origin, np.column_stack([x, y, 0 * x]))
    np.testing.assert_allclose(ground.heights(x, y), 1000 * (there - 51.5), atol=0.03)
    assert np.isnan(ground.heights(np.array([501.0]), np.array([0.0])))[0]


def test_rays_end_where_the_ground_is_and_nowhere_beyond_it():
    lat, lon = np.linspace(51.49, 51.51, 21), np.linspace(-3.16, -3.14, 21)
    ground = terrain_about(
        Origin(51.5, -3.15), (51.5, -3.15), lat, lon, np.full((21, 21), 5.0), reach_m=400.0, step_m=10.0
    )
    eye = np.tile([0.0, 0.0, 50.0], (4, 1))
    ray = np.array([[0, 0, -1.0], [1, 0, -1.0], [1, 0, -0.05], [0, 1, 1.0]])
    length = met(ground, eye, ray, reach_m=3000.0)
    np.testing.assert_allclose(length[:2], 50.0, atol=1e-3)
    assert np.isnan(length[2:]).all()


@pytest.mark.shared
def test_real_models_are_read(shared):
    heights = {"skydio-catilina-dem.tiff": (818, 1583), "estonia.cop30": (76.47, 224.47), "Rome-30m-DEM.tif": (-6, 238)}
    for name, (low, high) in heights.items():
        found = read(shared / "data" / "geo" / "dem" / name).height_m
        assert np.nanmin(found) == pytest.approx(low, abs=0.01)
        assert np.nanmax(found) == pytest.approx(high, abs=0.01)
