"""Shapes in which the server's own things go out."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from sightline.model.artifact import Artifact
from sightline.model.job import Job, JobState

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class JobView(BaseModel):
    """A job."""

    id: str = Field(description="Its number.")
    kind: str = Field(description="What sort of work.")
    status: JobState = Field(description="Where it stands.")
    step: str = Field(description="What is being done, for people.")
    progress: float | None = Field(description="How much is done, from 0 to 1; null where nobody knows.")
    error: str | None = Field(description="Why it failed.")
    result: dict[str, Any] | None = Field(description="What came of it.")
    params: dict[str, Any] = Field(description="What was asked for; addresses without their secrets.")
    owner: str = Field(description="Who asked.")
    attempt: int = Field(description="1, and one more for each retry.")
    created_at: str = Field(description="When it was asked for.")
    started_at: str | None = Field(description="When this attempt began.")
    finished_at: str | None = Field(description="When it ended.")

    @classmethod
    def of(cls, job: Job) -> "JobView":
        """The view of a job."""
        return cls(
            id=job.id,
            kind=job.kind,
            status=job.state,
            step=job.step,
            progress=job.progress,
            error=job.error,
            result=None if job.result is None else dict(job.result),
            params={name: unsecret(value) for name, value in job.params.items()},
            owner=job.owner,
            attempt=job.attempt,
            created_at=moment(job.created_utc_s) or "",
            started_at=moment(job.started_utc_s),
            finished_at=moment(job.finished_utc_s),
        )


class ArtifactView(BaseModel):
    """A kept file."""

    id: str = Field(description="Its number.")
    name: str = Field(description="What to call it.")
    media_type: str = Field(description="What it is.")
    bytes: int = Field(description="Its size.")
    sha256: str = Field(description="Of its content.")
    job_id: str | None = Field(description="The job it came of.")
    created_at: str = Field(description="When it was kept.")
    url: str = Field(description="Where to download it.")

    @classmethod
    def of(cls, artifact: Artifact) -> "ArtifactView":
        """The view of a kept file."""
        return cls(
            id=artifact.id,
            name=artifact.name,
            media_type=artifact.media_type,
            bytes=artifact.n_bytes,
            sha256=artifact.key,
            job_id=artifact.job_id,
            created_at=moment(artifact.created_utc_s) or "",
            url=f"/api/v1/artifacts/{artifact.id}/content",
        )


def moment(utc_s: float | None) -> str | None:
    """A time in ISO form."""
    return None if utc_s is None else datetime.fromtimestamp(utc_s, UTC).isoformat(timespec="milliseconds")


def unsecret(value: Any) -> Any:
    """A value of JSON in which addresses have lost user, password and query."""
    if isinstance(value, Mapping):
        return {name: unsecret(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [unsecret(inner) for inner in value]
    if not isinstance(value, str) or not _ADDRESS.match(value):
        return value
    try:
        parts = urlsplit(value)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"{value.partition('://')[0]}://..."
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
