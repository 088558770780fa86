"""How good tracks are, against the truth."""

from sightline.evaluation.meaning import MEANING
from sightline.evaluation.preprocessing import mot_challenge
from sightline.evaluation.scores import Scores, combined, evaluate

__all__ = ["MEANING", "Scores", "combined", "evaluate", "mot_challenge"]
