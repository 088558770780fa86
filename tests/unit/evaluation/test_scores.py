import numpy as np
import pytest

from sightline.evaluation import combined, evaluate
from sightline.model.tracks import Tracks

SHARES = ("hota", "deta", "assa", "loca", "detre", "detpr", "assre", "asspr")
SHARES += ("idf1", "idp", "idr", "mota", "moda", "motp", "recall", "precision")


def test_the_truth_itself_scores_one_everywhere(tracks, walker):
    truth = tracks(walker(1, range(10)) + walker(2, range(3, 8), x=200))
    scores = evaluate(truth, truth)
    assert {name: getattr(scores, name) for name in SHARES} == dict.fromkeys(SHARES, pytest.approx(1))
    assert (scores.clear.mt, scores.clear.pt, scores.clear.ml) == (2, 0, 0)
    assert (scores.clear.fp, scores.clear.fn, scores.clear.idsw, scores.clear.frag) == (0, 0, 0, 0)
    assert (scores.n_truth_boxes, scores.n_found_boxes, scores.n_truth_ids, scores.n_found_ids) == (15, 15, 2, 2)


def test_a_number_change_half_way_costs_association_but_not_detection(tracks, walker):
    truth = tracks(walker(1, range(10)))
    scores = evaluate(truth, tracks(walker(1, range(5)) + walker(2, range(5, 10))))
    assert scores.deta == pytest.approx(1)
    assert scores.assa == pytest.approx(0.5)  # each half: 5 together of 10 + 5 - 5
    assert scores.hota == pytest.approx(np.sqrt(0.5))
    assert (scores.identity.tp, scores.identity.fn, scores.identity.fp) == (5, 5, 5)
    assert scores.idf1 == pytest.approx(0.5)
    assert scores.clear.idsw == 1
    assert scores.mota == pytest.approx(0.9)
    assert scores.clear.frag == 0


def test_a_switch_is_counted_across_a_gap_and_the_gap_is_a_fragmentation(tracks, walker):
    other = walker(7, range(10), x=300)  # keeps every picture alive on both sides
    truth = tracks(walker(1, range(10)) + other)
    scores = evaluate(truth, tracks(walker(1, range(3)) + walker(2, range(6, 10)) + other))
    assert scores.clear.idsw == 1
    assert scores.clear.frag == 1
    assert scores.clear.fn == 3


def test_pictures_without_anything_found_do_not_break_a_track(tracks, walker):
    scores = evaluate(tracks(walker(1, range(10))), tracks(walker(1, [0, 1, 2, 7, 8, 9])))
    assert scores.clear.frag == 0
    assert scores.clear.fn == 4


def test_keeping_the_number_goes_before_the_better_overlap(tracks):
    truth = tracks([(0, 1, 0, 0, 20, 40), (1, 1, 0, 0, 20, 40)])
    found = tracks([(0, 5, 0, 0, 20, 40), (1, 5, 6, 0, 20, 40), (1, 6, 0, 0, 20, 40)])
    scores = evaluate(truth, found)
    assert (scores.clear.idsw, scores.clear.fp) == (0, 1)


def test_mostly_tracked_needs_more_than_80_percent_and_partly_tracked_20(tracks, walker):
    truth = tracks([row for k in range(3) for row in walker(k, range(10), x=300.0 * k)])
    found = tracks(walker(0, range(9)) + walker(1, range(8), x=300) + walker(2, range(1), x=600))
    scores = evaluate(truth, found)
    assert (scores.clear.mt, scores.clear.pt, scores.clear.ml) == (1, 1, 1)


def test_the_threshold_moves_clear_and_identity_but_not_hota(tracks, walker):
    truth, found = tracks(walker(1, range(10))), tracks(walker(1, range(10), x=5))  # overlap 15 / 25 = .6
    loose, strict = evaluate(truth, found, iou=0.5), evaluate(truth, found, iou=0.7)
    assert (loose.clear.tp, strict.clear.tp) == (10, 0)
    assert (loose.identity.tp, strict.identity.tp) == (10, 0)
    assert loose.hota == strict.hota
    assert loose.by_alpha.tp.tolist() == [10] * 12 + [0] * 7


def test_nothing_found_loses_everything(tracks, walker):
    scores = evaluate(tracks(walker(1, range(4)) + walker(2, range(4), x=99)), Tracks.none("door"))
    assert (scores.clear.fn, scores.clear.fp, scores.clear.ml, scores.identity.fn) == (8, 0, 2, 8)
    assert (scores.hota, scores.idf1, scores.mota, scores.loca) == (0, 0, 0, 1)
    assert scores.by_alpha.fn.tolist() == [8] * 19


def test_without_truth_everything_found_is_false(tracks, walker):
    scores = evaluate(Tracks.none("door"), tracks(walker(1, range(4))))
    assert (scores.clear.fn, scores.clear.fp, scores.identity.fp, scores.n_truth_ids) == (0, 4, 4, 0)
    assert (scores.hota, scores.idf1, scores.mota) == (0, 0, 0)


def test_nothing_against_nothing_is_an_answer():
    scores = evaluate(Tracks.none("door"), Tracks.none("door"))
    assert (scores.hota, scores.mota, scores.n_truth_boxes, scores.clear.ml) == (0, 0, 0, 0)


def test_one_picture_is_enough(tracks):
    truth = tracks([(5, 1, 0, 0, 20, 40), (5, 2, 100, 0, 20, 40)])
    scores = evaluate(truth, tracks([(5, 9, 0, 0, 20, 40)]))
    assert (scores.recall, scores.precision, scores.identity.tp) == (0.5, 1, 1)


def test_pictures_need_not_touch(tracks, walker):
    scores = evaluate(tracks(walker(1, range(3))), tracks(walker(1, range(10, 13))))
    assert (scores.clear.fn, scores.clear.fp, scores.hota) == (3, 3, 0)


def test_boxes_with_nan_or_without_area_overlap_nothing(tracks):
    truth = tracks([(0, 1, 0, 0, 20, 40), (0, 2, 50, 0, 0, 40)])
    scores = evaluate(truth, tracks([(0, 1, np.nan, 0, 20, 40), (0, 2, 50, 0, 0, 40)]))
    assert (scores.clear.tp, scores.clear.fp, scores.clear.fn) == (0, 2, 2)


def test_rows_without_a_track_are_left_out(tracks, walker):
    truth = tracks(walker(1, range(5)))
    scores = evaluate(truth, tracks(walker(1, range(5)) + walker(-1, range(5), x=200) + walker(-1, range(5), x=300)))
    assert (scores.clear.fp, scores.n_found_boxes, scores.hota) == (0, 5, 1)


def test_a_number_twice_in_a_picture_is_named(tracks, walker):
    truth = tracks(walker(1, range(5)))
    with pytest.raises(ValueError, match="found: track 4 is twice in frame 2"):
        evaluate(truth, tracks(walker(4, range(5)) + walker(4, [2], x=90)))
    with pytest.raises(ValueError, match="truth: track 1 is twice in frame 3"):
        evaluate(tracks(walker(1, range(5)) + walker(1, [3], x=90)), truth)


@pytest.mark.parametrize("iou", [0.0, -1.0, 1.01, np.nan])
def test_a_threshold_that_means_nothing_is_refused(tracks, walker, iou):
    truth = tracks(walker(1, range(5)))
    with pytest.raises(ValueError, match="iou must be above 0"):
        evaluate(truth, truth, iou=iou)


def test_sequences_combine_by_their_counts_not_by_their_shares(tracks, walker):
    truth = tracks(walker(1, range(10)))
    good = evaluate(truth, truth)
    bad = evaluate(tracks(walker(1, range(90))), Tracks.none("door"))
    both = combined([good, bad])
    assert both.recall == pytest.approx(0.1)
    assert both.deta == pytest.approx(0.1)
    assert both.hota == pytest.approx(np.sqrt(0.1))
    assert both.idf1 == pytest.approx(10 / (10 + 45))
    assert (both.n_truth_boxes, both.n_truth_ids, both.clear.ml, both.clear.mt) == (100, 2, 1, 1)


def test_one_sequence_combined_is_itself(tracks, walker):
    truth = tracks(walker(1, range(10)))
    scores = evaluate(truth, tracks(walker(1, range(5)) + walker(2, range(5, 10), x=4)))
    assert combined([scores]).numbers() == scores.numbers()


def test_no_sequences_cannot_be_combined():
    with pytest.raises(ValueError, match="no scores"):
        combined([])


def test_numbers_have_their_usual_names(tracks, walker):
    truth = tracks(walker(1, range(10)))
    numbers = evaluate(truth, truth).numbers()
    assert {"HOTA", "DetA", "AssA", "LocA", "IDF1", "MOTA", "MOTP", "FP", "FN", "IDSW", "MT", "PT", "ML"} <= set(
        numbers
    )
    assert {"Frag", "IDTP", "IDFP", "IDFN", "Recall", "Precision", "n_truth_ids", "n_found_boxes"} <= set(numbers)
    assert all(type(value) in (int, float) for value in numbers.values())
