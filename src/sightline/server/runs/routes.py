"""The paths of the run server."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from sightline import wiring
from sightline.live.sse import comment, event
from sightline.model.user import Role
from sightline.server import pages
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import RUNS
from sightline.server.installation import Installation
from sightline.server.runs import shapes, standing
from sightline.server.runs.desk import RunDesk
from sightline.server.runs.download import sent
from sightline.server.runs.errors import RefusalError, RunRoute, answers
from sightline.server.runs.keeping import keeping
from sightline.server.runs.uploads import file_parts

Id = Annotated[str, Path(max_length=64, description="Number of the run.", examples=["run_1761584400000_ab12cd3"])]
Kind = Annotated[str, Path(max_length=32, description="`glb`, `predictions`, or another that the run lists.")]
Parts = Annotated[Sequence[UploadFile], Depends(file_parts)]
_GLANCE_S = 0.5
_BEAT_S = 15.0
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}
            }
        },
    }
}
"""Files in a form; names of fields mean nothing."""


def router(services: Installation, guard: Guard) -> APIRouter:
    """All of them."""
    desk = RunDesk(services)
    routes = APIRouter(
        prefix=RUNS,
        tags=["runs"],
        route_class=RunRoute,
        responses=answers(),
    )
    _making(routes, desk, guard)
    _watching(routes, desk, guard)
    _results(routes, desk, guard, services)
    both = APIRouter(lifespan=keeping(desk))
    both.include_router(routes)
    both.include_router(_about(guard))
    both.include_router(pages.router(pages.Pages(services.settings)))
    return both


def _making(routes: APIRouter, desk: RunDesk, guard: Guard) -> None:
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]

    @routes.post("", summary="Make a run")
    def create(who: operator, asked: shapes.CreateAsked | None = None) -> shapes.Created:
        return desk.create((asked or shapes.CreateAsked()).settings, who.name)

    @routes.post("/{run_id}/images", summary="Bring pictures", response_model_exclude_none=True, openapi_extra=_FORM)
    def images(who: operator, run_id: Id, parts: Parts) -> shapes.Uploaded:
        return desk.add_pictures(run_id, parts, who.name)

    @routes.post("/{run_id}/video", summary="Bring a video instead", openapi_extra=_FORM)
    def video(who: operator, run_id: Id, parts: Parts) -> shapes.VideoUploaded:
        return desk.set_video(run_id, parts, who.name)

    @routes.post("/{run_id}/process", summary="Have the run done")
    def process(who: operator, run_id: Id) -> shapes.Started:
        return desk.process(run_id, who.name)

    @routes.post("/{run_id}/rerun", summary="Do it again in another way")
    def rerun(who: operator, run_id: Id, asked: shapes.RerunAsked | None = None) -> shapes.Rerun:
        return desk.rerun(run_id, (asked or shapes.RerunAsked()).settings, who.name)

    @routes.post("/{run_id}/cancel", summary="End the work on a run", response_model_exclude_none=True)
    def cancel(_who: operator, run_id: Id) -> shapes.RunView:
        return desk.cancel(run_id)

    @routes.delete("/{run_id}", summary="Forget a run and all that came of it")
    def remove(_who: operator, run_id: Id) -> shapes.Deleted:
        return desk.remove(run_id)


def _watching(routes: APIRouter, desk: RunDesk, guard: Guard) -> None:
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]

    @routes.get("", summary="Runs, newest first", response_model_exclude_none=True)
    def page(
        _who: viewer,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[str | None, Query(max_length=64, description="The last of the page before.")] = None,
    ) -> shapes.Page:
        return desk.page(limit, before)

    @routes.get("/{run_id}", summary="How far a run is", response_model_exclude_none=True)
    def one(_who: viewer, run_id: Id) -> shapes.RunView:
        return desk.view(run_id)

    @routes.get("/{run_id}/stream", summary="Changes of a run until it ends", response_class=StreamingResponse)
    async def stream(_who: viewer, run_id: Id) -> StreamingResponse:
        first = await run_in_threadpool(desk.view, run_id)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(_changes(desk, first), media_type="text/event-stream", headers=headers)


def _results(routes: APIRouter, desk: RunDesk, guard: Guard, services: Installation) -> None:
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]

    @routes.get("/{run_id}/cameras", summary="Where the pictures were taken", response_class=Response)
    def cameras(_who: viewer, request: Request, run_id: Id) -> Response:
        try:
            return sent(services, desk.artifact(run_id, "cameras"), request)
        except RefusalError as error:
            if error.detail != "Artifact not found":
                raise
            raise RefusalError(404, "Predictions file not found for this run") from None

    @routes.head("/{run_id}/artifacts/{kind}", include_in_schema=False)
    @routes.get("/{run_id}/artifacts/{kind}", summary="What came of a run, or a part of it", response_class=Response)
    def artifact(_who: viewer, request: Request, run_id: Id, kind: Kind) -> Response:
        return sent(services, desk.artifact(run_id, kind), request)


def _about(guard: Guard) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["runs"], route_class=RunRoute)
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]

    @routes.get("/health", summary="Whether the server works")
    async def health() -> shapes.Health:
        return shapes.Health(status="ok", timestamp=standing.moment(time.time()))

    @routes.get("/test/vggt-connection", summary="Whether anything could reconstruct", responses={503: {}})
    def connection(_who: viewer) -> shapes.Connection:
        engines = wiring.names("reconstructor")
        if not engines:
            raise RefusalError(503, "No reconstructor is installed")
        return shapes.Connection(status="ok", engines=engines)

    return routes


async def _changes(desk: RunDesk, view: shapes.RunView) -> AsyncIterator[str]:
    """Server-sent events: the run as it is, then each change until it ends or is gone."""
    told, quiet_since_s = None, time.monotonic()
    while True:
        text = view.model_dump_json(exclude_none=True)
        if text != told:
            told, quiet_since_s = text, time.monotonic()
            yield event(text, name="run")
        elif time.monotonic() - quiet_since_s > _BEAT_S:
            quiet_since_s = time.monotonic()
            yield comment("still here")
        if view.status in {"completed", "failed"}:
            return
        await asyncio.sleep(_GLANCE_S)
        try:
            view = await run_in_threadpool(desk.view, view.runId)
        except RefusalError:
            return
