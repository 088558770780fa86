"""Which lens a camera has."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.errors import OptionError
from sightline.locators.cameras import names
from sightline.locators.lenses import lens_of
from sightline.model.lens import Lens, LensModel
from sightline.simulation.flight.paths import FlightPlan

LOG = FlightPlan().log()
TOLD = replace(LOG, focal_35mm=np.full(len(LOG), 24.0))
BENT = Lens(LensModel.OPENCV, 4000, 2250, np.array([2800.0, 2810, 2000, 1125, 0.1, 0.01, 0.001, 0.002]))


def test_what_is_given_first_counts():
    assert lens_of(1280, 720, flight=TOLD)[0].focal_px[0] == pytest.approx(1280 * 24 / 36)
    assert lens_of(1280, 720, focal_35mm=28.0, flight=TOLD)[0].focal_px[0] == pytest.approx(1280 * 28 / 36)
    assert lens_of(1280, 720, fov_deg=90.0, focal_35mm=28.0)[0].focal_px[0] == pytest.approx(640)
    assert lens_of(4000, 2250, lens=BENT, fov_deg=90.0)[0] is BENT


def test_lenses_that_disagree_are_told():
    _, how, said = lens_of(1280, 720, focal_35mm=28.0, flight=TOLD)
    assert how == "focal length given"
    assert any("1.17 times the one in the log" in warning for warning in said)
    assert not lens_of(1280, 720, focal_35mm=24.5, flight=TOLD)[2]


def test_a_zoom_is_told():
    zoomed = replace(LOG, focal_35mm=np.linspace(24.0, 48.0, len(LOG)))
    assert any("from 24 to 48 mm" in warning for warning in lens_of(1280, 720, flight=zoomed)[2])


def test_a_calibrated_lens_fits_smaller_pictures_of_its_shape_only():
    small, how, _ = lens_of(1280, 720, lens=BENT)
    assert how == "calibrated"
    np.testing.assert_allclose(small.params[:4], BENT.params[:4] * 0.32)
    np.testing.assert_array_equal(small.distortion, BENT.distortion)
    one = Lens(LensModel.SIMPLE_RADIAL, 4000, 2250, np.array([2800.0, 2000, 1125, 0.1]))
    np.testing.assert_allclose(lens_of(1280, 720, lens=one)[0].params, [896, 640, 360, 0.1])
    with pytest.raises(OptionError, match="another shape"):
        lens_of(1280, 960, lens=BENT)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give fov_deg"),
        ({"flight": LOG}, "give fov_deg"),
        ({"fov_deg": 0.0}, "1 to 170"),
        ({"focal_35mm": 2.0}, "5 to 1000"),
    ],
)
def test_nothing_is_guessed(options, said):
    with pytest.raises(OptionError, match=said):
        lens_of(1280, 720, **options)


@pytest.mark.parametrize("name", ["Mavic 3E", "DJI Mavic 3E", "mavic-3e", " L2D-20C ", "DJI_FC3582"])
def test_a_camera_is_known_by_its_name_however_it_is_written(name):
    lens, how, said = lens_of(1280, 720, camera=name)
    assert lens.focal_px[0] == pytest.approx(1280 * 24 / 36)
    assert name in how
    assert any("crops" in warning for warning in said)


def test_a_camera_that_contradicts_the_log_is_told_and_what_is_measured_counts_more():
    assert any("1.17 times" in warning for warning in lens_of(1280, 720, camera="Mavic 2 Pro", flight=TOLD)[2])
    assert lens_of(1280, 720, camera="Mavic 2 Pro", focal_35mm=24.0)[1] == "focal length given"


@pytest.mark.parametrize(
    ("name", "why"), [("Mavic 3 E tele lens", "did you mean .*'Mavic 3E tele'"), ("Zeppelin", "not known; else give")]
)
def test_an_unknown_camera_is_refused_with_those_called_alike(name, why):
    with pytest.raises(OptionError, match=why):
        lens_of(1280, 720, camera=name)


def test_no_camera_has_two_focal_lengths():
    plain = [name.lower().replace(" ", "").replace("-", "") for name in names()]
    assert len({*plain}) == len(plain)
