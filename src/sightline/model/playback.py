"""Where the watching of a site is, and where somebody wants it to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """How a task is played. Moments are counted from the first of all sub-videos."""

    job_id: str
    """The task's job."""
    is_paused: bool = False
    """Whether somebody stopped the clock."""
    goal: int | None = None
    """The moment that was last asked for; None: none ever was."""
    n_asked: int = 0
    """How often a moment was asked for."""
    n_done: int = 0
    """How many of these wishes were seen to."""
    last: int | None = None
    """The moment that was last shown; None: none yet."""
    edge: int = 0
    """The moment after the furthest that was watched: what lies before it is not watched again."""
    total: int | None = None
    """How many moments there are, about; None: nobody knows."""
    passed: Sequence[Sequence[int]] = ()
    """What was jumped over, and is never watched: first moment and the one after the last of each gap."""
    wanted: Mapping[str, float] = field(default_factory=dict)
    """Pictures that somebody looks at, and until when (UTC, seconds) they are to be sent."""
    changed_utc_s: float = 0.0
    """When it was last paused or resumed."""
