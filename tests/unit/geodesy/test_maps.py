"""Maps of sites, laid on the earth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.geodesy.enu import enu_from_wgs84
from sightline.geodesy.maps import enu_from_map, origin_of, wgs84_from_map
from sightline.model.site import Anchor

EAST = np.pi / 2


def anchored(bearing_rad, *, is_y_down=False):
    return Anchor(np.deg2rad(46.5), np.deg2rad(6.6), bearing_rad, is_y_down)


@pytest.mark.parametrize(
    ("bearing_rad", "is_y_down", "x_goes", "y_goes"),
    [
        (EAST, False, (1, 0), (0, 1)),
        (EAST, True, (1, 0), (0, -1)),
        (0.0, False, (0, 1), (-1, 0)),
        (0.0, True, (0, 1), (1, 0)),
        (np.pi, False, (0, -1), (1, 0)),
    ],
)
def test_axes_run_where_the_anchor_says(bearing_rad, is_y_down, x_goes, y_goes):
    turn = enu_from_map(anchored(bearing_rad, is_y_down=is_y_down))
    assert turn @ [1.0, 0.0] == pytest.approx(x_goes, abs=1e-12)
    assert turn @ [0.0, 1.0] == pytest.approx(y_goes, abs=1e-12)


def test_the_map_begins_at_its_anchor_and_a_thousandth_of_a_degree_north_is_111_m():
    lat_deg, lon_deg = wgs84_from_map(anchored(0.0), np.array([[0.0, 0.0], [111.17, 0.0], [np.nan, 0.0]]))
    assert (lat_deg[0], lon_deg[0]) == pytest.approx((46.5, 6.6), abs=1e-12)
    assert lat_deg[1] == pytest.approx(46.501, abs=1e-6)
    assert lon_deg[1] == pytest.approx(6.6, abs=1e-9)
    assert np.isnan(lat_deg[2])


@given(st.floats(0, 2 * np.pi), st.booleans(), st.floats(-900, 900), st.floats(-900, 900))
def test_distances_on_the_map_are_distances_on_the_ground(bearing_rad, is_y_down, x_m, y_m):
    anchor = anchored(bearing_rad, is_y_down=is_y_down)
    lat_deg, lon_deg = wgs84_from_map(anchor, np.array([[x_m, y_m]]))
    back_m = enu_from_wgs84(origin_of(anchor), lat_deg, lon_deg, np.zeros(1))
    assert back_m[0, :2] == pytest.approx(enu_from_map(anchor) @ [x_m, y_m], abs=1e-3)
