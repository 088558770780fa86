"""The way from a wish to a network: torch is loaded when there is work, and its absence is said."""

from sightline.errors import EngineError
from sightline.executors.local import Stopped, Tell
from sightline.model.scene import Scene
from sightline.model.shots import Shots
from sightline.reconstructors.looks.wishes import Wishes


def granted(wishes: Wishes, shots: Shots, tell: Tell, stopped: Stopped) -> Scene:
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
    return rebuilt(shots, wishes, tell, stopped)
