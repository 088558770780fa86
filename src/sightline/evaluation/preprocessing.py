"""What MOT Challenge takes away before it counts."""

import numpy as np

from sightline.evaluation.clear import enough
from sightline.evaluation.pairing import in_order, paired
from sightline.model.tracks import Tracks

PEDESTRIAN = "pedestrian"
"""The one class that counts."""
DISTRACTORS = frozenset({"person on vehicle", "static person", "distractor", "reflection"})
"""Classes that are neither right nor wrong to find: 2, 7, 8 and 12 in the file."""
MOT20_DISTRACTORS = DISTRACTORS | {"non motorized vehicle"}
"""MOT20 has class 6 besides."""
_IOU = 0.5


def mot_challenge(truth: Tracks, found: Tracks, *, distractors: frozenset[str] = DISTRACTORS) -> tuple[Tracks, Tracks]:
    """Truth and result as MOT16, MOT17 and (with ``MOT20_DISTRACTORS``) MOT20 score them.

    ``truth`` comes as the MOT format reads a gt.txt: all classes, score 0 for boxes not to consider.
    Found boxes that best match a distractor are taken out, then all truth but pedestrians to consider.

    Raises:
        ValueError: ``truth`` has no MOT Challenge classes, or a track has two boxes in one picture.
    """
    if PEDESTRIAN not in truth.classes:
        named = ", ".join(truth.classes[:5])
        raise ValueError(f"truth has no MOT Challenge classes (1 to 13), only {named}: score it plainly")
    truth, found = in_order(truth), in_order(found)
    names = np.array(truth.classes)[truth.label]
    pairing = paired(truth, found)
    weight = np.where(enough(pairing.similarity, _IOU), pairing.similarity, 0.0)
    matched = pairing.assigned_in_all(weight)
    kept = np.ones(len(found), bool)
    kept[pairing.found_row[matched[np.isin(names[pairing.truth_row[matched]], list(distractors))]]] = False
    return truth.rows((names == PEDESTRIAN) & (truth.score != 0)), found.rows(kept)
