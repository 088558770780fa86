"""Jobs: what was asked, how far it is, ending it, trying again."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from sightline.live.sse import comment, event
from sightline.model.job import OPEN, Job, JobState
from sightline.model.user import Role
from sightline.server.auth.guard import Guard, Principal
from sightline.server.changes import Changes
from sightline.server.errors import answers
from sightline.server.installation import Installation
from sightline.server.views import JobView

Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Number of the job.")]
_BEAT_S = 15.0
"""A line into silent streams, so that nothing between takes them for dead."""


class Asked(BaseModel):
    """A job to be done."""

    kind: str = Field(description="What sort of work; see `GET /api/v1/jobs/kinds`.", examples=["track"])
    params: dict[str, Any] = Field(default_factory=dict, description="What exactly.", examples=[{"source": "ab12"}])


class Page(BaseModel):
    """Some jobs, newest first."""

    jobs: list[JobView] = Field(description="Newest first.")
    next: str | None = Field(description="Give this as `before` for those that follow; null at the end.")


def router(services: Installation, guard: Guard, changes: Changes) -> APIRouter:
    """``/api/v1/jobs``."""
    routes = APIRouter(prefix="/api/v1/jobs", tags=["jobs"], responses=answers(404))
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]

    @routes.get("", summary="Jobs, newest first")
    def jobs(
        _who: viewer,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        before: Annotated[
            str | None, Query(pattern="^[0-9a-f]{32}$", description="The last of the page before.")
        ] = None,
        status: Annotated[list[JobState] | None, Query(description="Only these.")] = None,
        kind: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Page:
        last = services.jobs.get(before) if before else None
        found = services.jobs.page(limit=limit + 1, before=last, states=status or (), kind=kind)
        more = found[limit - 1].id if len(found) > limit else None
        return Page(jobs=[JobView.of(job) for job in found[:limit]], next=more)

    @routes.post("", status_code=202, summary="Have something done")
    def ask(who: operator, asked: Asked, response: Response) -> JobView:
        job = services.desk.submit(asked.kind, asked.params, who.name)
        response.headers["location"] = f"/api/v1/jobs/{job.id}"
        return JobView.of(job)

    @routes.get("/kinds", summary="What can be asked for, and what each takes")
    def kinds(_who: viewer) -> dict[str, Any]:
        return services.desk.kinds()

    @routes.get("/events", summary="Changes of all jobs, as they happen", response_class=StreamingResponse)
    async def all_events(_who: viewer) -> StreamingResponse:
        return _stream(_events(changes, None))

    @routes.get("/{job_id}", summary="One job")
    def one(_who: viewer, job_id: Id) -> JobView:
        return JobView.of(services.jobs.get(job_id))

    @routes.get("/{job_id}/events", summary="Changes of one job until it ends", response_class=StreamingResponse)
    async def events(_who: viewer, job_id: Id) -> StreamingResponse:
        job = await run_in_threadpool(services.jobs.get, job_id)
        return _stream(_events(changes, job))

    @routes.delete("/{job_id}", summary="Cancel a job; one that has ended goes, with its files", responses=answers(409))
    def end(_who: operator, job_id: Id) -> JobView:
        job = services.jobs.get(job_id)
        if job.state in OPEN:
            return JobView.of(services.desk.cancel(job_id))
        services.jobs.delete(job_id)
        services.files.delete_of_job(job_id)
        return JobView.of(job)

    @routes.post(
        "/{job_id}/retry", status_code=202, summary="Try again what failed or was cancelled", responses=answers(409)
    )
    def again(_who: operator, job_id: Id) -> JobView:
        return JobView.of(services.desk.retry(job_id))

    return routes


async def _events(changes: Changes, job: Job | None) -> AsyncIterator[str]:
    """Server-sent events: the job as it is, then its changes until it ends; without a job, changes of all."""
    async with changes.listen(job) as heard:
        async for change in heard.with_pauses(_BEAT_S):
            if change is None:
                yield comment("still here")
                continue
            yield event(JobView.of(change).model_dump_json(), name="job", number=f"{change.updated_utc_s:.6f}")
            if job is not None and change.state not in OPEN:
                return


def _stream(lines: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(
        lines, media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )
