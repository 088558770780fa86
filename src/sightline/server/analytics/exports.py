"""Files of the history, in the words of the multi-camera service: asked for, looked after, downloaded, removed."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field

from sightline.errors import AbsentError, UnknownError
from sightline.jobs.history.forgetting import EXPORTS
from sightline.jobs.sites.messages import moment
from sightline.model.artifact import Artifact
from sightline.model.job import OPEN, Job, JobState
from sightline.model.user import Role
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import answers
from sightline.server.installation import Installation

State = Literal["pending", "processing", "completed", "failed", "expired"]
Format = Literal["csv", "json", "parquet", "xlsx", "excel"]
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Number of the export.")]
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=1000)]
_PREFIX = "/api/v1/export"
_STATES: dict[JobState, State] = {
    JobState.QUEUED: "pending",
    JobState.RUNNING: "processing",
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "failed",
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
}


class _Span(BaseModel):
    """Which part of the history."""

    task_id: UUID | None = Field(None, description="One task; else `environment_id` is needed.")
    environment_id: str | None = Field(
        None, max_length=64, description="A site: the newest task of each of its recordings."
    )
    start: AwareDatetime | None = Field(
        None, description="Since when. Of recordings whose beginning is not known: since when they were watched."
    )
    end: AwareDatetime | None = Field(None, description="Until when.")
    from_s: float | None = Field(None, allow_inf_nan=False, description="Since when, in seconds on the site's clock.")
    to_s: float | None = Field(None, allow_inf_nan=False, description="Until when, likewise.")

    def params(self) -> dict[str, Any]:
        """As a job takes it."""
        return {
            "task_id": None if self.task_id is None else self.task_id.hex,
            "site": self.environment_id,
            "from_utc_s": None if self.start is None else self.start.timestamp(),
            "to_utc_s": None if self.end is None else self.end.timestamp(),
            "from_s": self.from_s,
            "to_s": self.to_s,
        }


class TrackingData(_Span):
    """Every box, in a file."""

    format: Format = Field("csv", description="Of the file; `excel` is another word for `xlsx`.")
    camera_ids: Names = Field(default_factory=list, description="Only these; none: all.")
    person_ids: Names = Field(default_factory=list, description="Only these; none: all.")


class Report(_Span):
    """People, zones, lines and meetings, in a file."""

    format: Literal[Format, "png"] = Field("json", description="Of the file; `png` is the heatmap.")


class Video(BaseModel):
    """Everybody in a box, in the recordings."""

    task_id: UUID = Field(description="The task.")
    camera_ids: Names = Field(default_factory=list, description="Only these; none: all. Of several: an archive.")
    from_s: float | None = Field(None, allow_inf_nan=False, description="Since when, in seconds on the site's clock.")
    to_s: float | None = Field(None, allow_inf_nan=False, description="Until when.")
    privacy: Literal["none", "faces", "bodies"] = Field(
        "none", description="What is covered of everybody who was found; who was not found is not covered."
    )


class ExportView(BaseModel):
    """An export."""

    job_id: str = Field(description="Its number.")
    export_type: str = Field(description="What was asked for.")
    format: str = Field(description="Of the file.")
    status: State = Field(description="How far it is; expired: the file is gone.")
    progress: float | None = Field(description="How much is done, from 0 to 1; null where nobody knows.")
    created_at: str = Field(description="When it was asked for.")
    completed_at: str | None = Field(description="When it was done.")
    expires_at: str | None = Field(description="When the file goes.")
    file_size: int | None = Field(description="Bytes.")
    error: str | None = Field(description="Why it failed.")
    download_url: str | None = Field(description="Where the file is.")


class ExportPage(BaseModel):
    """Exports, newest first."""

    jobs: list[ExportView] = Field(description="Newest first.")
    total: int = Field(description="How many those are.")


class Removed(BaseModel):
    """An export that is gone."""

    job_id: str = Field(description="Its number.")
    message: str = Field(description="For people.")


def router(services: Installation, guard: Guard) -> APIRouter:
    """``/api/v1/export``."""
    every = APIRouter()
    every.include_router(_asked(services, guard))
    every.include_router(_made(services, guard))
    return every


def _asked(services: Installation, guard: Guard) -> APIRouter:
    routes = APIRouter(prefix=_PREFIX, tags=["export"])
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]

    def submitted(kind: str, params: dict[str, Any], who: Principal) -> ExportView:
        return _view(services, services.desk.submit(kind, params, who.name))

    @routes.post("/tracking-data", status_code=202, summary="Export every box")
    def tracking_data(who: operator, asked: TrackingData) -> ExportView:
        only = {"cameras": asked.camera_ids, "people": asked.person_ids}
        params = {**asked.params(), **only, "what": "tracking-data", "format": _named(asked.format)}
        return submitted("export", params, who)

    @routes.post("/analytics-report", status_code=202, summary="Export what is known of people, zones and lines")
    def analytics_report(who: operator, asked: Report) -> ExportView:
        params = {**asked.params(), "what": "analytics-report", "format": _named(asked.format)}
        return submitted("export", params, who)

    @routes.post("/video-with-overlays", status_code=202, summary="Export the recordings with everybody in a box")
    def video(who: operator, asked: Video) -> ExportView:
        span = {"task_id": asked.task_id.hex, "from_s": asked.from_s, "to_s": asked.to_s}
        return submitted("overlay", {**span, "cameras": asked.camera_ids, "privacy": asked.privacy}, who)

    return routes


def _made(services: Installation, guard: Guard) -> APIRouter:
    routes = APIRouter(prefix=f"{_PREFIX}/jobs", tags=["export"])
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]

    @routes.get("", summary="Exports, newest first")
    def exports(_who: viewer, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> ExportPage:
        found = [job for kind in EXPORTS for job in services.jobs.page(limit=limit, kind=kind)]
        found = sorted(found, key=lambda job: job.created_utc_s, reverse=True)[:limit]
        return ExportPage(jobs=[_view(services, job) for job in found], total=len(found))

    @routes.get("/{job_id}/status", summary="How far an export is", responses=answers(404))
    def status(_who: viewer, job_id: Id) -> ExportView:
        return _view(services, _export(services, job_id))

    @routes.get(
        "/{job_id}/download",
        summary="The file",
        response_class=StreamingResponse,
        responses={**_FILE, **answers(404)},
    )
    def download(_who: viewer, job_id: Id) -> Response:
        view = _view(services, _export(services, job_id))
        file = _file(services, job_id)
        if view.status != "completed" or file is None:
            raise HTTPException(400, f"the export is not completed; it is {view.status}")
        try:
            body = services.artifacts.open(file.key, 0, file.n_bytes)
        except AbsentError:
            raise HTTPException(400, "the export is not completed; it is expired") from None
        headers = {
            "content-length": str(file.n_bytes),
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "x-content-type-options": "nosniff",
        }
        return StreamingResponse(body, 200, headers, file.media_type)

    @routes.delete("/{job_id}", summary="Remove an export; one under way ends", responses=answers(404, 409))
    def remove(_who: operator, job_id: Id) -> Removed:
        job = _export(services, job_id)
        if job.state in OPEN:
            services.desk.cancel(job_id)
            return Removed(job_id=job_id, message="Export cancelled")
        services.jobs.delete(job_id)
        services.files.delete_of_job(job_id)
        return Removed(job_id=job_id, message="Export deleted")

    return routes


def _export(services: Installation, job_id: str) -> Job:
    """The job of an export.

    Raises:
        UnknownError: there is none.
    """
    job = services.jobs.get(job_id)
    if job.kind not in EXPORTS:
        raise UnknownError(f"no export {job_id!r}")
    return job


def _file(services: Installation, job_id: str) -> Artifact | None:
    return next(iter(services.files.page(limit=1, job_id=job_id)), None)


def _view(services: Installation, job: Job) -> ExportView:
    state, file = _STATES[job.state], None
    expires_utc_s = None
    if state == "completed" and job.finished_utc_s is not None:
        expires_utc_s = job.finished_utc_s + 3600.0 * services.settings.history.export_hours
        file = _file(services, job.id)
        if file is None or expires_utc_s < datetime.now(UTC).timestamp():
            state, file = "expired", None
    is_video = job.kind == "overlay"
    return ExportView(
        job_id=job.id,
        export_type="video-with-overlays" if is_video else str(job.params["what"]),
        format="video" if is_video else str(job.params["format"]),
        status=state,
        progress=job.progress,
        created_at=moment(job.created_utc_s),
        completed_at=None if job.finished_utc_s is None else moment(job.finished_utc_s),
        expires_at=None if expires_utc_s is None else moment(expires_utc_s),
        file_size=None if file is None else file.n_bytes,
        error="cancelled" if job.state is JobState.CANCELLED else job.error,
        download_url=None if file is None else f"{_PREFIX}/jobs/{job.id}/download",
    )


def _named(kind: str) -> str:
    return "xlsx" if kind == "excel" else kind
