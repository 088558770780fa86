"""What people look like, as far as they were looked at."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.identifiers.moments import STEP_S, looked_at, stand_in
from sightline.identifiers.parts import Taken

sighted = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 2), st.integers(-1, 3)), min_size=1, max_size=80, unique=True
)


@given(sighted)
def test_who_stands_in_is_looked_at_in_the_same_track_and_moment(rows):
    t_s, camera, track = (np.array(column) for column in zip(*rows, strict=True))
    t_s = t_s / 23.0
    instead, shown = stand_in(t_s, camera, track), looked_at(t_s, camera)
    assert np.array_equal(instead[shown], np.flatnonzero(shown))
    moved = np.flatnonzero((instead >= 0) & ~shown)
    assert shown[instead[moved]].all()
    assert np.array_equal(track[instead[moved]], track[moved])
    assert np.array_equal(camera[instead[moved]], camera[moved])
    assert (np.abs(t_s[instead[moved]] - t_s[moved]) < STEP_S + 1e-9).all()
    assert (track[moved] >= 0).all()


def test_a_look_just_after_the_picture_that_is_looked_at_is_not_lost():
    t_s, nobody = np.arange(10) * 0.051, np.full(2, np.nan)
    look = np.array([nobody, nobody, [0.6, 0.8], nobody, [1.0, 0.0], *[nobody] * 4, [0.0, 1.0]])
    taken = Taken(t_s, np.zeros(10, np.int64), np.ones(10, np.int64))
    assert t_s[taken.shown].tolist() == pytest.approx([0.0, 0.102, 0.306])  # the first of each fifth of a second
    taken.add(0, look)
    found = taken.glances()
    assert found.row.tolist() == [1, 2]
    assert found.look.tolist() == [pytest.approx([0.6, 0.8]), [0.0, 1.0]]


@given(st.integers(0, 100), st.lists(st.integers(1, 29), max_size=3))
def test_it_does_not_matter_in_which_pieces_looks_come(seed, cuts):
    rng = np.random.default_rng(seed)
    t_s, camera, track = np.sort(rng.integers(0, 40, 30)) / 23.0, rng.integers(0, 2, 30), rng.integers(-1, 3, 30)
    look = np.where(rng.random((30, 1)) < 0.5, rng.normal(size=(30, 4)), np.nan)
    whole, pieces = Taken(t_s, camera, track), Taken(t_s, camera, track)
    whole.add(0, look)
    edges = [0, *sorted(set(cuts)), 30]
    for first, last in pairwise(edges):
        pieces.add(first, look[first:last])
    assert np.array_equal(whole.glances().row, pieces.glances().row)
    assert np.array_equal(whole.glances().look, pieces.glances().look)
