"""Everything this package raises on purpose.

SightlineError
  SourceError(OSError)        a video, stream or folder cannot be read
  FormatError(ValueError)     a file is not what its format says; names file, line and field
  UnknownEngineError(LookupError)  no engine of that name
  OptionError(ValueError)     an engine does not take that option, or not that value
  WeightsError(OSError)       weights are absent, damaged, or not what they should be
  EngineError(RuntimeError)   an engine failed on valid input
    ReconstructionError       pictures do not make a scene; holds what there is of one
  StoreError(OSError)         a store cannot keep or give something
    AbsentError(FileNotFoundError)  a store has nothing under that key
  RefusedError(PermissionError)  an address or a file is not allowed
  UnknownError(LookupError)   nothing of that name or number is kept
  ConflictError(RuntimeError)  it cannot be done in the state that the thing is in

Messages are one line, name the file or field, and say what to do next.
"""


class SightlineError(Exception):
    """Something this package can name went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)

    def __str__(self) -> str:
        return str(self.args[0])


class SourceError(SightlineError, OSError):
    """A video, stream or folder cannot be read."""


class FormatError(SightlineError, ValueError):
    """A file is not what its format says."""


class UnknownEngineError(SightlineError, LookupError):
    """No engine of that name."""


class OptionError(SightlineError, ValueError):
    """An engine does not take that option, or not that value."""


class WeightsError(SightlineError, OSError):
    """Weights are absent, damaged, or not what they should be."""


class EngineError(SightlineError, RuntimeError):
    """An engine failed on valid input."""


class ReconstructionError(EngineError):
    """The pictures do not make a scene."""

    def __init__(self, message: str | None = None, scene: object = None) -> None:
        super().__init__(message)
        self.scene = scene
        """What there is of one, to look at (a ``model.scene.Scene``); None: nothing."""


class StoreError(SightlineError, OSError):
    """A store cannot keep or give something."""


class AbsentError(StoreError, FileNotFoundError):
    """A store has nothing under that key."""


class RefusedError(SightlineError, PermissionError):
    """An address or a file is not allowed."""


class UnknownError(SightlineError, LookupError):
    """Nothing of that name or number is kept."""


class ConflictError(SightlineError, RuntimeError):
    """It cannot be done in the state that the thing is in."""
