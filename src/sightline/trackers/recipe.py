"""What tells one tracker from another: a few rounds of matching, and some thresholds."""

from dataclasses import dataclass, field
from typing import Literal

from sightline.errors import OptionError
from sightline.estimation.kalman import Motion

Overlap = Literal["iou", "giou", "buffered", "doubted"]
"""How alike two boxes are: shared area, the same minus the gap, shared area of boxes made a third larger, or of boxes
made as much larger as the forecast is in doubt, see ``likeness``."""


@dataclass(frozen=True, slots=True)
class Round:
    """One matching of some tracks with some detections; what it leaves over goes to the next round."""

    tracks: Literal["all", "believed", "just seen", "tentative"]
    """Which may take part. Just seen: believed, and matched in the moment before."""
    detections: Literal["strong", "weak"]
    """Which may take part."""
    at_least: float
    """Similarity that a pair must exceed."""
    fused: bool = False
    """Multiply the overlap by the detection's score (as ByteTrack and BoT-SORT do)."""
    momentum: float = 0.0
    """Weight of moving on in the same direction (OC-SORT eqn. 4)."""
    against: Literal["forecast", "last seen"] = "forecast"
    """What the detection must overlap."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that tells one tracker from another."""

    rounds: tuple[Round, ...]
    """In order."""
    strong: float
    """Score from which a detection is strong."""
    weak: float
    """Score from which a detection is looked at."""
    birth: float
    """Score from which an unmatched strong detection begins a track."""
    confirm_hits: int
    """How many detections, moment after moment, make a track believed."""
    lost_s: float
    """How long a believed track waits to be seen again."""
    overlap: Overlap = "iou"
    """Which of the IoU family."""
    across_classes: bool = False
    """Whether a track may match a detection of another class."""
    follows_camera: bool = False
    """Whether forecasts move with the camera: as told, else, for what is not seen, as all that is seen."""
    replays: bool = False
    """Whether a track found again relives the gap on a straight line (OC-SORT section 4.1)."""
    trusts_first: bool = False
    """Whether what is in the first picture is believed at once (as ByteTrack does)."""
    motion: Motion = field(default_factory=Motion)
    """How things move."""

    def __post_init__(self) -> None:
        """Refuses what cannot be meant.

        Raises:
            OptionError: a score outside [0, 1], a negative wait, or less than one detection to confirm a track.
        """
        for name in ("strong", "weak", "birth"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionError(f"{name}_score = {getattr(self, name)} must be between 0 and 1")
        if not self.lost_s >= 0:
            raise OptionError(f"lost_s = {self.lost_s} is how many seconds a track waits; give 0 or more")
        if self.confirm_hits < 1:
            raise OptionError(f"confirm_hits = {self.confirm_hits} counts detections; give 1 or more")
