"""A file that the system keeps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One kept file: an upload, or something that came of a job."""

    id: str
    """32 hexadecimal digits."""
    key: str
    """Where its bytes are: the SHA-256 of them, in hexadecimal."""
    name: str
    """What to call it when it is downloaded."""
    media_type: str
    """What it is, for browsers."""
    n_bytes: int
    """Its size."""
    owner: str
    """Who brought or asked for it."""
    job_id: str | None = None
    """The job it came of."""
    created_utc_s: float = 0.0
    """When it was kept."""
