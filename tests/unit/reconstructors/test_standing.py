"""Whether a camera that stayed where it was is told from one that moved."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sightline.geometry.lens import pixels
from sightline.model.lens import Lens
from sightline.model.shots import Shot
from sightline.reconstructors.structure.album import Seen
from sightline.reconstructors.structure.features import Features
from sightline.reconstructors.structure.standing import standing

LENS = Lens.pinhole(800, 600, np.array([[700.0, 0, 400], [0, 700, 300], [0, 0, 1]]))


def seen_from(turns_rad, steps, *, focal_px=None, depth=(4.0, 9.0), noise_px=0.3, zooms=None, nearer=None):
    """What pictures see of the same things, the camera turned and moved from one to the next; all their pairs."""
    nearer = np.zeros(len(turns_rad)) if nearer is None else nearer
    zooms = np.ones(len(turns_rad)) if zooms is None else zooms
    chance = np.random.default_rng(0)
    things = chance.uniform([-6, -4, depth[0]], [6, 4, depth[1]], (400, 3))
    spots = []
    for turn, step, zoom, near in zip(turns_rad, steps, zooms, nearer, strict=True):
        xyz = Rotation.from_rotvec([0.02 * turn, turn, 0.0]).apply(things - [step, 0.1 * step, near])
        xy = pixels(LENS, xyz) + chance.normal(0, noise_px, (400, 2))
        spots.append((xy - LENS.centre_px) * zoom + LENS.centre_px)
    inside = [((xy > 0) & (xy < [800, 600])).all(axis=1) for xy in spots]
    n = len(spots)
    pictures = [
        Seen(Shot(f"{k}.png", lambda: np.zeros((1, 1, 3), np.uint8), focal_px=focal_px), 800, 600, features(xy))
        for k, xy in enumerate(spots)
    ]
    both = {(i + 1, j + 1): np.flatnonzero(inside[i] & inside[j]) for i in range(n) for j in range(i + 1, n)}
    return pictures, {pair: np.stack([rows, rows], axis=1) for pair, rows in both.items() if len(rows) >= 15}


def features(xy):
    return Features(xy.astype(np.float32), np.zeros((len(xy), 128), np.float32), np.zeros((len(xy), 3), np.uint8))


@pytest.mark.parametrize("focal_px", [None, 680.0])
def test_a_camera_that_only_turned_has_seen_no_depth(focal_px):
    assert "only turned" in standing(*seen_from(0.08 * np.arange(5), np.zeros(5), focal_px=focal_px))


def test_a_camera_that_did_nothing_has_seen_the_same():
    assert "show the same" in standing(*seen_from(np.zeros(4), np.zeros(4)))


@pytest.mark.parametrize("turn", [0.0, 0.05])
def test_a_camera_that_moved_may_have_seen_depth(turn):
    assert standing(*seen_from(turn * np.arange(5), 0.3 * np.arange(5))) is None


def test_a_wall_passed_by_is_no_turn():
    assert standing(*seen_from(np.zeros(5), 0.6 * np.arange(5), depth=(6.0, 6.001))) is None


@pytest.mark.parametrize("turn", [0.0, 0.06])
def test_a_lens_that_only_zoomed_has_seen_no_depth(turn):
    zooms = np.geomspace(1, 1.5, 6)
    assert "only zoomed" in standing(*seen_from(turn * np.arange(6), np.zeros(6), zooms=zooms))


def test_coming_nearer_is_no_zoom_where_there_is_depth():
    assert standing(*seen_from(np.zeros(5), np.zeros(5), nearer=0.4 * np.arange(5))) is None
    flat = seen_from(np.zeros(5), np.zeros(5), nearer=0.4 * np.arange(5), depth=(6.0, 6.001))
    assert "something flat" in standing(*flat)


def test_one_step_among_turns_is_enough_to_try():
    assert standing(*seen_from(0.08 * np.arange(5), [0.0, 0.0, 0.0, 0.0, 1.0])) is None


def test_pictures_without_matches_say_nothing():
    assert standing([], {}) is None
