"""What is taken away before anything is counted: boxes that are neither right nor wrong to find."""

import numpy as np
from jaxtyping import Bool

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
    names = np.array(truth.classes)[truth.label]
    truth, found = forgiven(truth, found, np.isin(names, list(distractors)))
    pedestrian = truth.label == truth.classes.index(PEDESTRIAN)
    return truth.rows(pedestrian & (truth.score != 0)), found


def forgiven(truth: Tracks, found: Tracks, which: Bool[np.ndarray, " n"]) -> tuple[Tracks, Tracks]:
    """Both without the true boxes that ``which`` marks, and without the found boxes that match those best.

    For objects that are neither right nor wrong to find: of other classes, hidden, too far away.
    Matched against all of ``truth``, picture by picture, from an IoU of .5. Rows without a track are left out.

    Raises:
        ValueError: a track has two boxes in one picture.
    """
    order, truth, found = in_order(truth), truth.rows(in_order(truth)), found.rows(in_order(found))
    which = which[order]
    pairing = paired(truth, found)
    matched = pairing.assigned_in_all(np.where(enough(pairing.similarity, _IOU), pairing.similarity, 0.0))
    kept = np.ones(len(found), bool)
    kept[pairing.found_row[matched[which[pairing.truth_row[matched]]]]] = False
    return truth.rows(~which), found.rows(kept)
