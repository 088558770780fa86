"""What looks add to places: who left and came back, and who turned back at a meeting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.identifiers.ground import Ground
from sightline.identifiers.likeness import Likeness
from sightline.model.identities import Sightings

N = 32


def yard(paths_m, *, looks=True, alike=False, noise=1.0, light=0.0, step_s=0.5, seed=0):
    """Sightings by two cameras, and whose each is; ``light`` makes all alike in the second camera."""
    rng = np.random.default_rng(seed)
    people, moments, _ = paths_m.shape
    faces = rng.normal(0, 1, (people, N)) * (not alike)
    who, moment, camera = (x.ravel() for x in np.meshgrid(range(people), range(moments), range(2), indexing="ij"))
    there = np.isfinite(paths_m[who, moment, 0])
    who, moment, camera = who[there], moment[there], camera[there]
    n = len(who)
    look = faces[who] + rng.normal(0, noise, (n, N)) if looks else np.full((n, N), np.nan)
    look[:, 0] += light * camera
    seen = Sightings(
        ("a", "b"), camera, moment * step_s, np.full(n, -1), paths_m[who, moment] + rng.normal(0, 0.1, (n, 2)),
        np.tile(0.01 * np.eye(2), (n, 1, 1)), np.ones(n, bool), look / np.linalg.norm(look, axis=1, keepdims=True),
        np.full((n, 4), np.nan),
    )  # fmt: skip
    return seen, who


def lanes(n_people, n_moments, step_s=0.5):
    """People who walk side by side, 3 m apart."""
    along = np.arange(n_moments) * step_s - 5
    return np.stack([np.stack([along, np.full(n_moments, 3.0 * k)], axis=1) for k in range(n_people)])


def mistakes(number, who):
    """Share of sightings that are not under the identity that most of the person's are."""
    table = np.zeros((who.max() + 1, number.max() + 2), int)
    np.add.at(table, (who, number), 1)
    return 1 - table.max(axis=1).sum() / len(who)


def away_and_back(n_people=10):
    """Everybody leaves for a minute, and comes back in the other order."""
    out = lanes(n_people, 20)
    return np.concatenate([out, np.full((n_people, 120, 2), np.nan), lanes(n_people, 20)[::-1]], axis=1)


def test_who_left_and_came_back_is_known_by_looks():
    seen, who = yard(away_and_back())
    found = Ground().identify(seen)
    assert mistakes(found.number, who) < 0.01
    assert set(found.number.tolist()) == set(range(1, 11))
    assert len(found.paths) == 10 * 40  # nobody is anywhere while away
    assert (np.diff(found.paths.t_s)[np.diff(found.paths.number) == 0] > 0).all()


def test_who_comes_back_again_and_again_is_known_by_all_visits_together():
    visit, away = lanes(10, 10), np.full((10, 60, 2), np.nan)
    seen, who = yard(np.concatenate([visit, away, visit[::-1], away, visit, away, visit[::-1]], axis=1), noise=4.0)
    number = Ground().identify(seen).number
    assert mistakes(number, who) < 0.1  # compared two at a time, a third of the visits are linked
    assert len(set(number.tolist()) - {-1}) <= 13


def test_light_of_a_camera_is_told_from_what_makes_a_person():
    seen, who = yard(away_and_back(), light=20.0)
    kept = (seen.camera == 1) | (seen.t_s < 10)  # who comes back is seen by the second camera alone
    number = Ground().identify(seen.rows(kept)).number
    assert mistakes(number, who[kept]) < 0.01
    assert len(set(number.tolist()) - {-1}) == 10


@pytest.mark.parametrize("which", [{"looks": False}, {"alike": True}])
def test_looks_that_tell_nothing_are_not_believed(which):
    seen, _ = yard(away_and_back(), **which)
    assert set(Ground().identify(seen).number.tolist()) == set(range(1, 21))


def test_two_who_meet_and_turn_back_are_told_apart_by_looks_only():
    there = np.stack([np.arange(6) * 0.5 - 3.0, np.zeros(6)], axis=1)
    turn = np.concatenate([there, there[::-1]])
    paths = np.concatenate([np.stack([turn, turn * [-1, 1]]), lanes(8, 12) + np.array([0, 20])])
    for looks, wrong in ((True, False), (False, True)):
        seen, who = yard(paths, looks=looks)
        number = Ground().identify(seen).number
        assert (mistakes(number[who < 2], who[who < 2]) > 0.2) == wrong


def test_some_looks_missing_harm_nothing():
    seen, who = yard(away_and_back())
    look = seen.look.copy()
    look[::3] = np.nan
    columns = {name: getattr(seen, name) for name in Sightings.__slots__}
    assert mistakes(Ground().identify(Sightings(**(columns | {"look": look}))).number, who) < 0.01


COSINE, SPREAD = st.floats(-1, 1), st.floats(0.02, 0.5)


@given(cosines=st.tuples(COSINE, COSINE), means=st.tuples(COSINE, COSINE), spreads=st.tuples(SPREAD, SPREAD))
def test_more_alike_never_counts_less(cosines, means, spreads):
    likeness = Likeness(max(means), spreads[0], min(means), spreads[1])
    low, high = likeness.odds(np.sort(cosines))
    assert low <= high + 1e-9


def test_unknown_looks_count_nothing_and_so_do_all_where_nothing_was_learnt():
    assert Likeness(0.8, 0.1, 0.3, 0.1).odds(np.array([np.nan]))[0] == 0
    assert not Likeness().odds(np.array([-1.0, 0.3, 1.0])).any()
