"""Pixels to rays to the ground to latitude and longitude, against numbers computed elsewhere."""

import json
from pathlib import Path

import numpy as np
import pytest

from sightline.geodesy.attitude import enu_from_cam
from sightline.geodesy.enu import enu_from_wgs84, ned_from_enu, wgs84_from_enu
from sightline.model.positions import Origin

VECTORS = json.loads((Path(__file__).parents[2] / "golden" / "golden_rays.json").read_text())["vectors"]


def ray_cam(vector):
    k = vector["K"]
    u, v = vector["pixel"]
    return np.array([(u - k["cx"]) / k["fx"], (v - k["cy"]) / k["fy"], 1.0])


def turn(vector):
    angles = [np.deg2rad([float(vector["gimbal"][name])]) for name in ("yaw", "pitch", "roll")]
    return enu_from_cam(*angles)[0]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['gimbal']} {v['pixel']}")
def test_a_ray_its_depth_and_its_place_are_the_golden_ones(vector):
    cam = ray_cam(vector)
    enu = turn(vector) @ cam
    np.testing.assert_allclose(ned_from_enu(enu / np.linalg.norm(enu)), vector["ray_ned"], atol=1e-12)
    depth = vector["drone"]["height_agl_m"] / -enu[2]
    assert depth == pytest.approx(vector["z_depth_m"], rel=1e-12)
    assert depth * np.linalg.norm(enu) == pytest.approx(vector["slant_range_m"], rel=1e-12)
    ground = np.array([[*(depth * enu[:2]), 0.0]])
    np.testing.assert_allclose(ground[0, 1::-1], vector["ground_ne_m"], atol=1e-9)
    origin = Origin(float(vector["drone"]["lat"]), float(vector["drone"]["lon"]))
    lat_deg, lon_deg, _ = wgs84_from_enu(origin, ground)
    # 1e-11 degrees are a thousandth of a millimetre.
    np.testing.assert_allclose([lat_deg[0], lon_deg[0]], [vector["lat"], vector["lon"]], atol=1e-11)
    np.testing.assert_allclose(enu_from_wgs84(origin, lat_deg, lon_deg, np.zeros(1))[0, :2], ground[0, :2], atol=1e-2)
