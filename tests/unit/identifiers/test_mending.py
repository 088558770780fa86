"""Mistakes of the first guess undone: paths told apart by camera, and walkers who turn where others pass."""

import numpy as np
import pytest

from sightline.identifiers.ground import Ground
from sightline.identifiers.mending import exchanged, merged
from sightline.identifiers.moments import Seen, seen
from sightline.identifiers.odds import Coverage, Odds
from sightline.identifiers.strands import Strands
from sightline.model.identities import Sightings

SPREAD_M = 0.1


def watched(paths_m, *, cameras=2, step_s=0.5, seed=0, sees=lambda who, camera: True):
    """Bare sightings of people on ``paths_m`` (people, moments, 2), and whose each is."""
    rng = np.random.default_rng(seed)
    who, moment, camera = (
        x.ravel() for x in np.meshgrid(range(len(paths_m)), range(paths_m.shape[1]), range(cameras), indexing="ij")
    )
    shown = np.array([sees(p, c) for p, c in zip(who, camera, strict=True)])
    who, moment, camera = who[shown], moment[shown], camera[shown]
    n = len(who)
    sightings = Sightings(
        tuple("abcd"[:cameras]), camera, moment * step_s, np.full(n, -1),
        paths_m[who, moment] + rng.normal(0, SPREAD_M, (n, 2)), np.tile(SPREAD_M**2 * np.eye(2), (n, 1, 1)),
        np.ones(n, bool), np.zeros((n, 0)), np.full((n, 4), np.nan),
    )  # fmt: skip
    return sightings, who


def known(sightings, owner) -> tuple[Seen, Strands, np.ndarray]:
    """The sightings by moments, and the paths when each is of whom ``owner`` says."""
    now = seen(sightings, np.zeros(2))
    owner = owner[now.row]
    return now, Strands.of(owner, now, Odds()), owner


def line(start, velocity, n=40, step_s=0.5):
    return np.array(start, float) + np.arange(n)[:, None] * step_s * np.array(velocity, float)


COVERAGE = Coverage((None, None), np.zeros(2))


def test_one_person_whom_two_cameras_told_apart_is_one_again():
    sightings, _ = watched(line([0, 0], [1, 0])[None])
    now, strands, owner = known(sightings, sightings.camera)
    assert len(set(merged(owner, strands, now, COVERAGE, Odds()).tolist())) == 1


def test_two_who_walk_together_stay_two():
    pair = np.stack([line([0, 0], [1, 0]), line([0, 0.4], [1, 0])])
    now, strands, owner = known(*watched(pair))
    np.testing.assert_array_equal(merged(owner, strands, now, COVERAGE, Odds()), owner)


def test_two_far_apart_stay_two_though_each_camera_sees_one():
    pair = np.stack([line([0, 0], [1, 0]), line([0, 1.2], [1, 0])])
    now, strands, owner = known(*watched(pair, sees=lambda who, camera: who == camera))
    np.testing.assert_array_equal(merged(owner, strands, now, COVERAGE, Odds()), owner)


def test_paths_mixed_up_at_several_meetings_are_put_right_at_once():
    t_s = 0.5 * np.arange(100)
    swing_m = 2 * np.sin(t_s / 4)
    pair = np.stack([np.column_stack([t_s, swing_m]), np.column_stack([t_s, -swing_m])])
    sightings, who = watched(pair)
    meetings_s = np.pi * 4 * np.arange(1, 4)
    mixed = (who + np.searchsorted(meetings_s, sightings.t_s)) % 2
    now, strands, owner = known(sightings, mixed)
    right = exchanged(owner, strands, now, Odds()) == who[now.row]
    assert min(right.mean(), 1 - right.mean()) < 0.02


@pytest.mark.parametrize("seed", range(3))
def test_who_turns_back_on_the_spot_keeps_the_number(seed):
    there = np.concatenate([line([-6.0, 0], [1.4, 0], 10), line([0.3, 0], [-1.4, 0], 14)])
    number = Ground().identify(watched(there[None], seed=seed)[0]).number
    assert set(number.tolist()) == {1}
