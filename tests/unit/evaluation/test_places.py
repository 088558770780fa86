"""Places on a map held against the truth."""

import numpy as np
import pytest

from sightline.evaluation.places import Places, scored


def walk(n=20, people=3, off_m=0.0):
    moment = np.repeat(np.arange(n), people)
    number = np.tile(np.arange(people), n)
    xy_m = np.column_stack([moment * 0.5, number * 5.0 + off_m])
    return Places(moment, number, xy_m)


def test_the_truth_is_right():
    scores = scored(walk(), walk())
    assert (scores.idf1, scores.mota, scores.n_switches, scores.median_m) == (1.0, 1.0, 0, 0.0)


def test_places_that_are_off_are_so_far_off_whatever_the_order():
    found, shuffle = walk(off_m=0.3), np.random.default_rng(0).permutation(60)
    scores = scored(walk(), Places(found.moment[shuffle], found.number[shuffle] + 7, found.xy_m[shuffle]))
    assert scores.idf1 == scores.mota == 1.0
    assert scores.median_m == pytest.approx(0.3)
    assert scores.p90_m == pytest.approx(0.3)


def test_places_too_far_off_are_missed_and_made_up():
    scores = scored(walk(), walk(off_m=1.5))
    assert scores.idf1 == 0.0
    assert scores.mota == -1.0
    assert np.isnan(scores.median_m)


def test_who_changes_the_number_half_way_is_half_known():
    found = walk(people=1)
    scores = scored(walk(people=1), Places(found.moment, (found.moment >= 10).astype(int), found.xy_m))
    assert scores.idf1 == 0.5
    assert scores.n_switches == 1


def test_nobody_found_is_nothing_right():
    none = Places(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 2)))
    assert scored(walk(), none).mota == 0.0
    assert np.isnan(scored(none, none).idf1)
