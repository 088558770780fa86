"""How good tracks are, against the truth."""

from sightline.evaluation.meaning import MEANING
from sightline.evaluation.preprocessing import forgiven, mot_challenge
from sightline.evaluation.scores import Scores, combined, evaluate

__all__ = ["MEANING", "Scores", "combined", "evaluate", "forgiven", "mot_challenge"]
