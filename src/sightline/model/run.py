"""A reconstruction as clients of the run server know it: pictures, settings, and what came of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run. How far its work is, the job knows; once that has ended, ``outcome`` says for good what came of it."""

    id: str
    """``run_``, the milliseconds of its making, ``_`` and 7 letters or digits."""
    owner: str
    """Who made it."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What was asked for, in the words of the run server; JSON."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Names of pictures, or of one video, to the numbers of the kept files."""
    is_video: bool = False
    """Whether the one file is a video."""
    parent_id: str | None = None
    """The run that this one repeats in another way."""
    job_id: str | None = None
    """The job that works on it; None: nobody asked for it yet."""
    outcome: Mapping[str, Any] | None = None
    """What came of it; JSON."""
    created_utc_s: float = 0.0
    """When it was made."""
    updated_utc_s: float = 0.0
    """When anything of this last changed."""
