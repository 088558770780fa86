"""Feet of boxes on the ground: where, and how sure."""

import numpy as np
import pytest

from sightline.errors import OptionError
from sightline.geometry.homography import carried, slopes
from sightline.geometry.warp import warped
from sightline.locators.homography import Homography
from sightline.model.identities import Sightings
from sightline.model.tracks import Tracks
from sightline.model.view import View

PX_FROM_ENU = np.array([[900.0, 640, 5000], [40, 360, 9000], [0.05, 1, 14]])
VIEW = View("gate", 1280, 720, PX_FROM_ENU)


def tracks(xyxy_px):
    n = len(xyxy_px)
    zero = np.zeros(n, np.int64)
    return Tracks("gate", zero, np.zeros(n), zero + 1, np.array(xyxy_px, float), np.ones(n), zero, zero)


def boxes_at(xy_enu_m, size=(40.0, 120.0)):
    foot = warped(PX_FROM_ENU, np.asarray(xy_enu_m, float))
    return np.column_stack([foot - np.array([size[0] / 2, size[1]]), foot + np.array([size[0] / 2, 0])])


def test_the_middle_of_the_lower_edge_is_taken_to_the_ground():
    places = np.array([[0.0, 4.0], [1.5, 9.0]])
    found = Homography(view=VIEW).locate(tracks(boxes_at(places)))
    np.testing.assert_allclose(found.xyz_enu_m[:, :2], places, atol=1e-9)
    np.testing.assert_array_equal(found.xyz_enu_m[:, 2], 0)


def test_the_covariance_is_that_of_trembling_boxes():
    """Drawn boxes scatter as the covariance says, far more along the line of sight than across."""
    rng = np.random.default_rng(1)
    box = boxes_at([[1.0, 9.0]])
    drawn = np.repeat(box, 4000, axis=0) + np.tile(rng.normal(0, 1, (4000, 2)) * [40, 120] * 0.02, 2)
    locator = Homography(view=VIEW, jitter=0.02)
    scattered = np.cov(locator.locate(tracks(drawn)).xyz_enu_m[:, :2].T)
    said = locator.locate(tracks(box)).cov_enu_m2[0, :2, :2]
    one_px = carried(np.linalg.inv(PX_FROM_ENU), warped(PX_FROM_ENU, np.array([[1.0, 9.0]])), np.eye(2)[None])[0]
    np.testing.assert_allclose(scattered, said - one_px, rtol=0.15, atol=0.05 * said.max())


def test_slopes_are_differences():
    xy = np.array([[1.0, 9.0], [-2.0, 5.0]])
    step = 1e-6
    moved = [(warped(PX_FROM_ENU, xy + step * e) - warped(PX_FROM_ENU, xy)) / step for e in np.eye(2)]
    np.testing.assert_allclose(slopes(PX_FROM_ENU, xy), np.stack(moved, axis=2), rtol=1e-4)


def test_feet_beyond_the_horizon_have_no_place():
    horizon = Homography(view=VIEW).locate(tracks([[10.0, 0, 40, 30]]))
    assert np.isnan(horizon.xyz_enu_m).all()


@pytest.mark.parametrize("hidden_px", [5.0, 30.0, 55.0])
def test_the_feet_of_a_box_cut_off_below_are_within_two_deviations(hidden_px):
    """What is out of the picture is a guess, and said to be one."""
    whole = np.array([[600.0, 560, 660, 718 + hidden_px]])
    cut = np.minimum(whole, [1280, 720, 1280, 720])
    locator = Homography(view=VIEW)
    truth = warped(np.linalg.inv(PX_FROM_ENU), np.array([[630.0, 718 + hidden_px]]))
    found = locator.locate(tracks(np.where(whole > 718, 719.0, cut)))
    off = found.xyz_enu_m[0, :2] - truth[0]
    assert off @ np.linalg.solve(found.cov_enu_m2[0, :2, :2], off) < 4
    np.testing.assert_array_equal(locator.whole(np.where(whole > 718, 719.0, cut)), [False])


def test_whole_are_boxes_that_keep_off_the_lower_edge_and_the_sides():
    boxes = np.array([[10.0, 0, 50, 100], [1, 10, 50, 100], [1200, 10, 1279, 100], [10, 10, 50, 719]])
    np.testing.assert_array_equal(Homography(view=VIEW).whole(boxes), [True, False, False, False])


def test_no_boxes_no_positions():
    assert not len(Homography(view=VIEW).locate(tracks(np.zeros((0, 4)))))


def test_a_homography_of_points_in_line_is_refused():
    with pytest.raises(ValueError, match=r"'gate'.*not in line"):
        View("gate", 1280, 720, np.array([[1.0, 0, 0], [2, 0, 0], [0, 0, 1]]))


def test_a_negative_jitter_is_refused():
    with pytest.raises(OptionError, match="jitter=-1"):
        Homography(view=VIEW, jitter=-1.0)


def test_sightings_of_two_cameras_are_joined_on_one_clock_and_one_list():
    seen = tracks(boxes_at([[0.0, 4.0]]))
    locator = Homography(view=VIEW)
    one = Sightings.of(seen, locator.locate(seen), locator.whole(seen.xyxy_px))
    other = Sightings(("door", "gate"), *(getattr(one, name) for name in Sightings.__slots__[1:]))
    both = Sightings.joined([one, other.rows(slice(0, 1))])
    assert both.cameras == ("gate", "door")
    np.testing.assert_array_equal(both.camera, [0, 1])
    later = Sightings.of(seen, locator.locate(seen), locator.whole(seen.xyxy_px), offset_s=2.5)
    np.testing.assert_array_equal(later.t_s, seen.t_s + 2.5)


def test_looks_of_different_networks_cannot_be_joined():
    seen = tracks(boxes_at([[0.0, 4.0]]))
    locator = Homography(view=VIEW)
    parts = [Sightings.of(seen, locator.locate(seen), np.ones(1, bool), np.ones((1, d))) for d in (2, 3)]
    with pytest.raises(ValueError, match="one embedder"):
        Sightings.joined(parts)
