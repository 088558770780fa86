"""What sets people apart, learnt while looks come."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.identifiers.contrast import Contrast
from sightline.identifiers.gallery import Gallery
from sightline.model.identities import Sightings

N = 16


def people(n, seed=0):
    """Faces, and a function that looks at one in the light of the moment, which is most of what is seen."""
    rng = np.random.default_rng(seed)
    faces = rng.normal(0, 0.3, (n, N))

    def look(who):
        light = 2 + rng.normal(0, 1)
        seen = faces[who] + light * (np.arange(N) == 0) + rng.normal(0, 0.05, N)
        return seen / np.linalg.norm(seen)

    return look


def learnt(look, n_people=20, n_looks=10):
    contrast = Contrast()
    for k in range(n_looks):
        for who in range(n_people):
            contrast.add((k % 2, who), look(who))
    return contrast


def test_two_people_are_not_alike_and_one_is_whatever_the_light():
    look = people(20)
    contrast = learnt(look)
    some, others = (np.array([look(who) for who in range(20)]) for _ in range(2))
    raw, told = some @ others.T, contrast.cosines(some, others)
    same = np.eye(20, dtype=bool)
    assert np.median(raw[~same]) > 0.6
    assert abs(np.median(told[~same])) < 0.2
    assert np.median(told[same]) > 0.6
    assert (told[same] > np.quantile(told[~same], 0.95)).mean() > (raw[same] > np.quantile(raw[~same], 0.95)).mean()


def test_nothing_is_claimed_before_enough_was_seen():
    look = people(20)
    assert not learnt(look, n_people=5, n_looks=40).is_known
    assert not learnt(look, n_looks=2).is_known
    assert learnt(look).is_known


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_cosines_are_cosines_and_unknown_looks_stay_unknown(seed):
    look = people(15, seed)
    contrast = learnt(look, n_people=15)
    some = np.array([look(0), look(1), np.full(N, np.nan)])
    told = contrast.cosines(some, some)
    assert np.isnan(told[2]).all()
    np.testing.assert_allclose(np.diag(told)[:2], 1)
    assert (np.abs(told[:2, :2]) <= 1 + 1e-9).all()


def test_a_gallery_knows_who_comes_back_in_another_light():
    look = people(20)
    visits = [(1000 * visit + 0.6 * k, who, visit) for visit in range(2) for k in range(10) for who in range(20)]
    t_s, who, visit = (np.array(column) for column in zip(*visits, strict=True))
    n = len(who)
    seen = Sightings(
        ("a", "b"), visit, t_s, who + 100 * visit, np.full((n, 2), np.nan), np.full((n, 2, 2), np.nan),
        np.ones(n, bool), np.array([look(k) for k in who]), np.full((n, 4), np.nan),
    )  # fmt: skip
    number = Gallery(threshold=0.9).identify(seen).number
    came, back = number[visit == 0][:20], number[visit == 1][:20]
    assert (came == back).mean() > 0.9
