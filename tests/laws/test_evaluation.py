"""What must hold of scores whatever the tracks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.evaluation import combined, evaluate
from sightline.model.tracks import Tracks

DETECTION = ("deta", "detre", "detpr", "loca", "recall", "precision", "moda", "motp")


def world(seed, n_tracks, n_frames, missing):
    """Boxes that drift about in a small picture, some of them left out."""
    rng = np.random.default_rng(seed)
    frame, number = (a.ravel() for a in np.mgrid[0:n_frames, 1 : n_tracks + 1])
    at = rng.uniform(0, 60, (n_tracks, 2)) + np.cumsum(rng.normal(0, 3, (n_frames, n_tracks, 2)), axis=0)
    low = at.reshape(-1, 2)
    kept = rng.uniform(size=len(frame)) >= missing
    n = int(kept.sum())
    return Tracks(
        camera="a",
        frame_index=frame[kept],
        t_s=np.full(n, np.nan),
        number=number[kept],
        xyxy_px=np.concatenate([low, low + np.array([20, 30])], axis=1)[kept],
        score=np.ones(n),
        label=np.zeros(n, np.int64),
        detection=np.full(n, -1),
    )


def changed(tracks, **columns):
    names = ("frame_index", "t_s", "number", "xyxy_px", "score", "label", "detection")
    return Tracks(camera=tracks.camera, **({name: getattr(tracks, name) for name in names} | columns))


def noisy(tracks, seed):
    rng = np.random.default_rng(seed)
    return changed(tracks, xyxy_px=tracks.xyxy_px + rng.normal(0, 2, tracks.xyxy_px.shape))


def apart(tracks):
    """The same tracks where no two ever overlap, so that a box can only be found by its own."""
    return changed(tracks, xyxy_px=tracks.xyxy_px + 300.0 * tracks.number[:, None])


worlds = st.tuples(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 12), st.sampled_from([0.0, 0.3, 0.9]))
"""What ``world`` is made from."""
few = settings(max_examples=40, deadline=None)


@few
@given(worlds)
def test_perfect_tracks_score_one(made):
    truth = world(*made)
    scores = evaluate(truth, truth)
    expected = 1.0 if len(truth) else 0.0
    assert scores.hota == pytest.approx(expected)
    assert scores.idf1 == pytest.approx(expected)
    assert scores.mota == pytest.approx(expected)


@few
@given(worlds, st.integers(0, 99))
def test_shares_are_shares_and_counts_add_up(made, seed):
    truth = world(*made)
    scores = evaluate(truth, noisy(world(seed, 4, 10, 0.2), seed))
    numbers = scores.numbers()
    shares = [n for n in numbers if isinstance(numbers[n], float) and n not in ("MOTA", "MODA")]
    assert all(-1e-12 <= numbers[name] <= 1 + 1e-12 for name in shares)
    for tp, fn, fp in (("TP", "FN", "FP"), ("IDTP", "IDFN", "IDFP")):
        assert numbers[tp] + numbers[fn] == scores.n_truth_boxes
        assert numbers[tp] + numbers[fp] == scores.n_found_boxes
    assert numbers["MT"] + numbers["PT"] + numbers["ML"] == scores.n_truth_ids
    assert scores.mota <= scores.moda <= scores.recall + 1e-12
    assert (np.diff(scores.by_alpha.tp) <= 0).all()


@few
@given(worlds, st.integers(0, 99))
def test_renaming_and_reordering_change_nothing(made, seed):
    truth = world(*made)
    found = noisy(truth, seed)
    rng = np.random.default_rng(seed)
    renamed = changed(found, number=1000 + 7 * rng.permutation(7)[found.number])
    shuffled = truth.rows(rng.permutation(len(truth)))
    expected, scores = evaluate(truth, found).numbers(), evaluate(shuffled, renamed).numbers()
    assert scores == pytest.approx(expected, abs=1e-12)


@few
@given(worlds)
def test_swapping_two_numbers_half_way_changes_association_only(made):
    truth = apart(world(*made))
    late, number = truth.frame_index >= 6, truth.number
    swapped = np.where(late & (number == 1), 2, np.where(late & (number == 2), 1, number))
    before, after = evaluate(truth, truth), evaluate(truth, changed(truth, number=swapped))
    assert [getattr(after, n) for n in DETECTION] == pytest.approx([getattr(before, n) for n in DETECTION])
    assert after.assa <= before.assa + 1e-12
    assert after.idf1 <= before.idf1 + 1e-12
    if all(((number == k) & late).any() and ((number == k) & ~late).any() for k in (1, 2)):
        assert after.assa < before.assa


@few
@given(worlds, st.integers(0, 99))
def test_exchanging_truth_and_result_exchanges_recall_and_precision(made, seed):
    truth = world(*made)
    found = noisy(world(seed, 4, 10, 0.2), seed)
    there, back = evaluate(truth, found), evaluate(found, truth)
    assert there.idf1 == pytest.approx(back.idf1)
    assert (there.idp, there.idr) == pytest.approx((back.idr, back.idp))
    assert (there.identity.fp, there.identity.fn) == (back.identity.fn, back.identity.fp)


@few
@given(worlds, worlds)
def test_combining_is_the_same_in_any_order(made, more):
    one, other = world(*made), world(*more)
    scores = [evaluate(one, noisy(one, 1)), evaluate(other, noisy(other, 2))]
    assert combined(scores).numbers() == pytest.approx(combined(scores[::-1]).numbers())
