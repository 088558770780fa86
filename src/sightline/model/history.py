"""What is kept of sites that were watched, and what people put right of it."""

from dataclasses import dataclass
from typing import Literal

CorrectionKind = Literal["merge", "split", "rename", "erase"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedTask:
    """One time that a site was watched."""

    task_id: str
    """The job that did it."""
    site: str
    """Id of the site."""
    footage: str
    """Digest of what was watched: two tasks over the same recordings have the same."""
    begins_utc_s: float | None
    """When the recordings began, in seconds since 1970; None: nobody knows."""
    asked_utc_s: float
    """When the watching began."""
    fps: float | None = None
    """Moments per second; None: nobody was seen, and nobody knows."""
    firsts: tuple[int, ...] = ()
    """Of each part of the recordings, the moment that it begins with."""
    ends_s: float = 0.0
    """How long the recordings are, as far as they were watched."""
    is_settled: bool = False
    """Whether it is settled who is who; before, nothing of it is counted."""
    noted_utc_s: float = 0.0
    """When anything of it was last written down."""

    @property
    def zero_utc_s(self) -> float:
        """When its clock was 0; where nobody knows when the recordings began, when the watching did."""
        return self.asked_utc_s if self.begins_utc_s is None else self.begins_utc_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Something that a person knows better. The rows that it is about stay as they were found."""

    id: str
    """32 hexadecimal digits; of a split, also the new identity, with dashes."""
    site: str
    """The site whose people it is about."""
    kind: CorrectionKind
    """merge: two are one; split: from some time on it is another; rename: a name; erase: to be forgotten."""
    identity: str
    """Id of whom it is about."""
    becomes: str | None = None
    """Of a merge, whom they really are; of a split, whom they are from then on."""
    task_id: str | None = None
    """Of a split, the task in which."""
    at_s: float | None = None
    """Of a split, when, on the site's clock."""
    name: str | None = None
    """Of a renaming, the name."""
    owner: str = "anonymous"
    """Who said so."""
    created_utc_s: float = 0.0
    """When."""
    undone_utc_s: float | None = None
    """When it was taken back; None: it holds."""
    is_done: bool = False
    """Of an erasure, whether everything is gone."""
