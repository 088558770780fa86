"""What is asked of a network."""

from dataclasses import dataclass

from sightline.reconstructors.networks.choices import Kind, Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was asked for."""

    weights: str
    """A name on the shelf, a path, or a repository of Hugging Face's; empty: those that anybody may use."""
    kind: Kind | None = None
    """Which network; None: the one that the weights are for."""
    side_px: int
    """Longer side of the pictures that the network sees."""
    points: bool = False
    """Whether it also says points without depth and camera."""
    precision: Precision
    """How finely it reckons."""
    device: str
    """Where."""
    chunk: int
    """Pictures that it sees at once, at most; 0: as memory allows."""
    refine: bool
    """Whether cameras are then adjusted to features that pictures share."""
