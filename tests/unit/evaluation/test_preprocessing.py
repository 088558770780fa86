import numpy as np
import pytest

from sightline.evaluation import evaluate, forgiven, mot_challenge
from sightline.evaluation.preprocessing import MOT20_DISTRACTORS
from sightline.formats.mot import CLASSES
from sightline.model.tracks import Tracks

COLUMNS = ("frame_index", "t_s", "number", "xyxy_px", "detection")


def marked(tracks, *names, considered=None):
    """The tracks with MOT Challenge classes, track k of class ``names[k]``."""
    label = np.array([CLASSES.index(names[number]) for number in tracks.number], np.int64)
    score = np.ones(len(tracks)) if considered is None else considered.astype(float)
    columns = {name: getattr(tracks, name) for name in COLUMNS}
    return Tracks(camera="door", classes=CLASSES, label=label, score=score, **columns)


@pytest.mark.parametrize("distractor", ["person on vehicle", "static person", "distractor", "reflection"])
def test_finding_a_distractor_is_neither_right_nor_wrong(tracks, walker, distractor):
    truth = marked(tracks(walker(0, range(5)) + walker(1, range(5), x=100)), "pedestrian", distractor)
    found = tracks(walker(7, range(5)) + walker(8, range(5), x=101))
    kept_truth, kept = mot_challenge(truth, found)
    assert set(kept.number) == {7}
    assert set(kept_truth.number) == {0}
    assert evaluate(kept_truth, kept).mota == 1


def test_finding_a_car_is_wrong(tracks, walker):
    truth = marked(tracks(walker(0, range(5)) + walker(1, range(5), x=100)), "pedestrian", "car")
    scores = evaluate(*mot_challenge(truth, tracks(walker(7, range(5)) + walker(8, range(5), x=100))))
    assert (scores.clear.tp, scores.clear.fp, scores.clear.fn) == (5, 5, 0)


def test_pedestrians_not_to_consider_are_no_truth_and_no_excuse(tracks, walker):
    both = tracks(walker(0, range(5)) + walker(1, range(5), x=100))
    truth = marked(both, "pedestrian", "pedestrian", considered=both.number == 0)
    scores = evaluate(*mot_challenge(truth, both))
    assert (scores.n_truth_boxes, scores.clear.fp) == (5, 5)


def test_a_box_that_fits_a_pedestrian_better_is_kept(tracks, walker):
    truth = marked(tracks(walker(0, range(5)) + walker(1, range(5), x=6)), "pedestrian", "static person")
    _, found = mot_challenge(truth, tracks(walker(7, range(5), x=1)))
    assert len(found) == 5


def test_mot20_has_one_distractor_more(tracks, walker):
    truth = marked(tracks(walker(0, range(5))), "non motorized vehicle")
    found = tracks(walker(7, range(5)))
    assert len(mot_challenge(truth, found)[1]) == 5
    assert len(mot_challenge(truth, found, distractors=MOT20_DISTRACTORS)[1]) == 0


def test_truth_without_the_classes_is_refused(tracks, walker):
    plain = tracks(walker(1, range(5)))
    with pytest.raises(ValueError, match="no MOT Challenge classes"):
        mot_challenge(plain, plain)


def test_columns_of_the_result_come_along(tracks, walker):
    truth = marked(tracks(walker(0, range(5))), "pedestrian")
    _, found = mot_challenge(truth, tracks(walker(7, range(5))))
    assert found.frame_index.tolist() == [0, 1, 2, 3, 4]
    assert found.classes == ("object",)


def test_what_is_forgiven_counts_neither_way(tracks, walker):
    truth = tracks(walker(2, range(5), x=100) + walker(1, range(5)))  # rows need not be in order
    hidden = truth.number == 2
    for found in (walker(7, range(5)), walker(7, range(5)) + walker(8, range(5), x=101)):
        assert evaluate(*forgiven(truth, tracks(found), hidden)).mota == 1
    wrong = evaluate(*forgiven(truth, tracks(walker(7, range(5)) + walker(8, range(5), x=300)), hidden))
    assert (wrong.clear.fp, wrong.n_truth_boxes) == (5, 5)


def test_forgiving_nothing_changes_nothing(tracks, walker):
    truth = tracks(walker(1, range(5)))
    found = tracks(walker(7, range(5), x=1) + walker(8, range(3), x=400))
    kept = forgiven(truth, found, np.zeros(len(truth), bool))
    assert evaluate(*kept).numbers() == evaluate(truth, found).numbers()
