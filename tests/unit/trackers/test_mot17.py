"""On a real crowd: what the online tracker reaches, and what the second look adds."""

import numpy as np
import pytest

from sightline.evaluation import evaluate, mot_challenge
from sightline.formats.mot import Mot
from sightline.geometry.boxes import xyxy_from_xywh
from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.trackers.botsort import BotSort
from sightline.trackers.offline import refined


@pytest.mark.shared
def test_a_real_crowd_is_followed_and_the_second_look_helps(shared):
    folder = shared / "data/tracking/MOT17/MOT17-09-FRCNN"
    rows = np.loadtxt(folder / "det/det.txt", delimiter=",")
    tracker, parts = BotSort(), []
    for k in range(525):
        own = rows[rows[:, 0] == k + 1]
        label = np.zeros(len(own), np.int64)
        found = Detections(xyxy_from_xywh(own[:, 2:6]), own[:, 6], label, ("pedestrian",))
        parts.append(tracker.update(Moment("MOT17-09-FRCNN", k, k / 30), found))
    online = Tracks.joined("MOT17-09-FRCNN", parts)
    truth = Mot().read(folder / "gt/gt.txt")
    before, after = (evaluate(*mot_challenge(truth, tracks)) for tracks in (online, refined(online)))
    assert before.hota > 0.45
    assert before.idf1 > 0.52
    assert after.hota > before.hota + 0.03
    assert after.mota > before.mota + 0.03
