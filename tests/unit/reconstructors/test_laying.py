"""What positions of pictures say of a reconstruction, and what they do not."""

import numpy as np
import pytest

from sightline.geometry.rigid import inverse, looking_at, moved
from sightline.geometry.umeyama import scale_of, seen_from
from sightline.model.scene import Scale
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.structure.laying import laid

TARGET = np.array([0.0, 0.0, 0.0])
MODEL_FROM_WORLD = np.array([[0.0, -0.2, 0.0, 3.0], [0.2, 0.0, 0.0, -1.0], [0.0, 0.0, 0.2, 2.0], [0.0, 0.0, 0.0, 1.0]])


def nothing():
    """No picture is looked at here."""
    raise AssertionError


def over_a_field(n):
    """Where a drone took pictures; metres."""
    return np.random.default_rng(n).uniform([-40, -30, 20], [40, 30, 40], (n, 3))


def along_a_street(n):
    """Where a car took pictures; metres."""
    return np.linspace([-30, 10, 1.5], [30, 14, 1.5], n)


def asked(eyes_m, given_m, unit=None):
    """What is made of a perfect reconstruction whose pictures were taken at ``eyes_m`` and say ``given_m``."""
    poses = np.array([seen_from(looking_at(eye, TARGET), MODEL_FROM_WORLD) for eye in eyes_m])
    shots = tuple(Shot(f"{n}.png", nothing, eye_world_m=given) for n, given in enumerate(given_m))
    how = laid(Shots(shots, unit=unit), poses, np.ones(len(poses), bool), np.zeros((1, 3)))
    return how, moved(how.scene_from_model, np.array([inverse(pose)[:3, 3] for pose in poses]))


@pytest.mark.parametrize("n", [3, 5, 20])
def test_exact_positions_lay_it_upon_them(n):
    eyes = over_a_field(n)
    how, found = asked(eyes, eyes)
    assert (how.scale, how.in_world, how.why) == (Scale.GPS, True, "")
    assert np.allclose(found, eyes)


def test_positions_a_few_metres_wrong_do_over_a_field():
    eyes = over_a_field(20)
    how, found = asked(eyes, eyes + np.random.default_rng(1).normal(0, 2, eyes.shape))
    assert how.in_world
    assert np.median(np.linalg.norm(found - eyes, axis=1)) < 2


@pytest.mark.parametrize("n", [3, 4, 5, 8, 20])
def test_round_a_table_they_say_nothing(n):
    eyes = over_a_field(n) / 40
    how, _ = asked(eyes, eyes + np.random.default_rng(n).normal(0, 4, eyes.shape))
    assert (how.scale, how.in_world) == (Scale.UNKNOWN, False)
    assert "scatter too much" in how.why


@pytest.mark.parametrize("wrong_m", [0.0, 1.0])
def test_along_a_street_they_tell_scale_alone(wrong_m):
    eyes = along_a_street(12)
    how, _ = asked(eyes, eyes + np.random.default_rng(2).normal(0, 1, eyes.shape) * wrong_m)
    assert (how.scale, how.in_world) == (Scale.GPS, False)
    assert "on a line" in how.why
    assert scale_of(how.scene_from_model) == pytest.approx(5, rel=0.05)


def test_all_in_one_place_they_say_nothing():
    how, _ = asked(over_a_field(6), np.ones((6, 3)))
    assert how.scale is Scale.UNKNOWN


def test_two_positions_are_too_few():
    eyes = over_a_field(6)
    how, _ = asked(eyes, [*eyes[:2], *[None] * 4])
    assert (how.scale, how.why) == (Scale.UNKNOWN, "2 positions known, it takes 3")


def test_whoever_gave_the_positions_is_told():
    eyes = over_a_field(6)
    assert asked(eyes, eyes, Scale.POSES)[0].scale is Scale.POSES


def test_without_a_placed_picture_there_is_nothing_to_lay():
    shots = Shots((Shot("0.png", nothing),))
    assert laid(shots, np.full((1, 4, 4), np.nan), np.zeros(1, bool), np.zeros((0, 3))).scale is Scale.UNKNOWN
