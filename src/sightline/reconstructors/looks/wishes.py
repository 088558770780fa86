"""What is asked of a network, and the way to it: torch is loaded when there is work, and its absence is said."""

from dataclasses import dataclass

from sightline.errors import EngineError
from sightline.executors.local import Stopped, Tell
from sightline.model.scene import Scene
from sightline.model.shots import Shots
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

    def granted(self, shots: Shots, tell: Tell, stopped: Stopped) -> Scene:
        """The scene that the network makes of the pictures.

        Raises:
            ReconstructionError: the pictures do not make one.
            WeightsError: the weights are not here, or are not what they should be; says how to get them.
            OptionError: an option does not do.
            EngineError: it was stopped, PyTorch is not installed, or there is not enough memory.
        """
        try:
            from sightline.reconstructors.looks.rebuilding import rebuilt  # noqa: PLC0415  (torch takes seconds)
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise EngineError("PyTorch is not installed: pip install 'sightline[vggt]'") from None
        return rebuilt(shots, self, tell, stopped)
