"""The paths of the multi-camera service."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, WebSocket
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from sightline.errors import OptionError, SightlineError
from sightline.jobs.sites.shelf import Sites
from sightline.model.job import Job
from sightline.model.playback import Playback
from sightline.model.user import Role
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import answers
from sightline.server.installation import Installation
from sightline.server.tracking.controls import router as controls
from sightline.server.tracking.ends import Ends
from sightline.server.tracking.finding import KIND, task_of
from sightline.server.tracking.shapes import Environment, Start, Started, StatusView
from sightline.server.tracking.socket import Listener
from sightline.server.tracking.standing import standing
from sightline.server.tracking.stream import router as streams

_PREFIX = "/api/v1/processing-tasks"


def router(services: Installation, guard: Guard) -> APIRouter:
    """All of them."""
    both = APIRouter()
    both.include_router(_tasks(services, guard))
    both.include_router(_environments(services, guard))
    both.include_router(_live(services, guard))
    both.include_router(controls(services, guard))
    both.include_router(streams(services, guard))
    return both


def _tasks(services: Installation, guard: Guard) -> APIRouter:
    routes = APIRouter(prefix=_PREFIX, tags=["multi-camera tracking"])
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]
    sites = Sites(services.settings.sites())

    @routes.post("/start", status_code=202, summary="Watch a site", responses=answers(404))
    def start(who: operator, asked: Start) -> Started:
        site = sites.get(asked.environment_id)
        parts = max((len(watch.videos) for watch in site.watches), default=0)
        if not parts:
            raise OptionError(f"environment {site.id!r} has no videos; add them to its file")
        params: dict[str, Any] = asked.model_dump(exclude={"environment_id"}, exclude_none=True)
        job = services.desk.submit(KIND, {**params, "site": site.id, "parts": parts}, who.name)
        number = str(UUID(job.id))
        return Started(
            task_id=number,
            message=f"Processing task for environment '{site.id}' initiated.",
            status_url=f"{_PREFIX}/{number}/status",
            websocket_url=f"/ws/tracking/{number}",
        )

    @routes.get("/{task_id}/status", summary="How far a task is", responses=answers(404))
    def status(_who: viewer, task_id: UUID) -> StatusView:
        return _status(task_of(services, task_id))

    @routes.delete("/{task_id}", summary="Cancel a task", responses=answers(404, 409))
    def cancel(_who: operator, task_id: UUID) -> StatusView:
        return _status(services.desk.cancel(task_of(services, task_id).id))

    return routes


def _environments(services: Installation, guard: Guard) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/environments", tags=["multi-camera tracking"])
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    sites = Sites(services.settings.sites())

    @routes.get("", summary="The sites that can be watched")
    def environments(_who: viewer) -> list[Environment]:
        return [_environment(sites, site_id) for site_id in sites.ids()]

    return routes


def _live(services: Installation, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["multi-camera tracking"])
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]

    ends = Ends(services.jobs)

    @routes.websocket("/ws/tracking/{task_id}")
    async def tracking(socket: WebSocket, _who: viewer, task_id: str) -> None:
        try:
            job = await run_in_threadpool(task_of, services, UUID(task_id))
        except (HTTPException, ValueError):
            await socket.send_denial_response(JSONResponse({"detail": "Processing task not found."}, 404))
            return
        await Listener(socket, services, guard, ends, job).talk()

    return routes


def _status(job: Job) -> StatusView:
    said = standing(job, Playback(job_id=job.id))
    return StatusView(
        task_id=str(UUID(job.id)),
        status=said.status,
        progress=said.progress,
        current_step=said.current_step,
        details=said.details,
    )


def _environment(sites: Sites, site_id: str) -> Environment:
    try:
        site = sites.get(site_id)
    except SightlineError as error:
        return Environment(environment_id=site_id, name=site_id, cameras=[], camera_count=0, fault=str(error))
    cameras = [watch.id for watch in site.watches]
    return Environment(environment_id=site.id, name=site.name, cameras=cameras, camera_count=len(cameras))
