"""A piece of work that somebody asked for, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    """Nobody has begun it."""
    RUNNING = "running"
    """A worker is at it."""
    COMPLETED = "completed"
    """All of it is done."""
    FAILED = "failed"
    """It cannot be done; ``error`` says why."""
    CANCELLED = "cancelled"
    """Somebody asked for it to end."""


OPEN = frozenset({JobState.QUEUED, JobState.RUNNING})
"""States from which others can still be reached without a new attempt."""
_MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.RUNNING, JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED}),
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}
"""From each state, where to; back to ``queued`` is a new attempt, ``running`` to itself a worker that came back."""


def may_follow(before: JobState, after: JobState) -> bool:
    """Whether a job in the state ``before`` may go on to ``after``."""
    return after in _MOVES[before]


def sources_of(after: JobState) -> frozenset[JobState]:
    """The states from which a job may go on to ``after``."""
    return frozenset(state for state, others in _MOVES.items() if after in others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work."""

    id: str
    """32 hexadecimal digits."""
    kind: str
    """What sort of work, by name."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """What exactly was asked for; JSON. May hold secrets, such as a camera's password."""
    owner: str = "anonymous"
    """Who asked."""
    state: JobState = JobState.QUEUED
    """Where it stands."""
    step: str = "waiting for a worker"
    """What is being done, for people."""
    progress: float | None = None
    """How much of all is done, from 0 to 1; None: nobody knows."""
    error: str | None = None
    """Why it failed, in one line."""
    result: Mapping[str, Any] | None = None
    """What came of it; JSON."""
    attempt: int = 1
    """1, and one more for each time somebody had it tried again."""
    is_cancel_asked: bool = False
    """Whether somebody wants it to end."""
    created_utc_s: float = 0.0
    """When it was asked for."""
    started_utc_s: float | None = None
    """When this attempt began."""
    finished_utc_s: float | None = None
    """When this attempt ended."""
    updated_utc_s: float = 0.0
    """When anything of this last changed."""
