"""The paths of the history: analytics, corrections, exports."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from sightline.formats.heatmap import drawn, png
from sightline.jobs.history.answers import Answers, told
from sightline.jobs.history.forgetting import Forgetting
from sightline.jobs.history.picturing import picture_of
from sightline.model.user import Role
from sightline.server.analytics.asking import Envelope, answered, asking
from sightline.server.analytics.exports import router as exports
from sightline.server.analytics.identities import router as identities
from sightline.server.analytics.live import router as live
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import answers
from sightline.server.installation import Installation
from sightline.stores.sql.history import History

Metres = Annotated[float, Query(ge=0.05, le=100, allow_inf_nan=False)]
Bin = Annotated[float, Query(ge=0.1, le=86_400, allow_inf_nan=False, description="Seconds of a bin.")]
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture", "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
}


def router(services: Installation, guard: Guard) -> APIRouter:
    """All of them."""
    every = APIRouter()
    every.include_router(_people(services, guard))
    every.include_router(_counted(services, guard))
    every.include_router(_ground(services, guard))
    every.include_router(live(services, guard))
    every.include_router(exports(services, guard))
    every.include_router(identities(services, guard))
    return every


def _people(services: Installation, guard: Guard) -> APIRouter:
    """Who there was, and where they went."""
    routes = APIRouter(prefix="/api/v1/analytics", tags=["analytics"], responses=answers(404))
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]
    asked = Annotated[Answers, Depends(asking(services))]
    history = History(services.engine)

    @routes.get("/tasks", summary="What was watched and is kept")
    def tasks(_who: viewer, environment_id: Annotated[str | None, Query(max_length=64)] = None) -> Envelope:
        return answered({"tasks": [told(task) for task in history.tasks(environment_id)]})

    @routes.delete("/tasks/{task_id}", status_code=204, summary="Forget a task", responses=answers(409))
    def forget(_who: operator, task_id: UUID) -> None:
        Forgetting(services.engine, services.artifacts).forget_task(task_id.hex)

    @routes.get("/dashboard", summary="All at a glance")
    def dashboard(_who: viewer, about: asked) -> Envelope:
        return answered(about.dashboard())

    @routes.get("/people", summary="Everybody: when, where, how long, how far, how fast")
    def people(_who: viewer, about: asked) -> Envelope:
        return answered({"people": about.people()})

    @routes.get("/live-ids", summary="Who those named in live messages turned out to be")
    def live_ids(_who: viewer, about: asked) -> Envelope:
        return answered({"live_ids": about.live_ids()})

    @routes.get("/trajectories", summary="Where everybody went, in metres of the map")
    def trajectories(
        _who: viewer,
        about: asked,
        person_id: Annotated[str | None, Query(max_length=64, description="Only this one.")] = None,
        every_s: Annotated[float, Query(ge=0, le=3600, description="No places closer in time than this.")] = 0.2,
    ) -> Envelope:
        return answered({"trajectories": about.trajectories(person_id, every_s)})

    @routes.get("/system/statistics", summary="How much is kept")
    def statistics(_who: viewer) -> Envelope:
        return answered(history.counts())

    return routes


def _counted(services: Installation, guard: Guard) -> APIRouter:
    """Zones and lines."""
    routes = APIRouter(prefix="/api/v1/analytics", tags=["analytics"], responses=answers(404))
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    asked = Annotated[Answers, Depends(asking(services))]

    @routes.get("/dwell", summary="How long who was in which zone")
    def dwell(_who: viewer, about: asked) -> Envelope:
        return answered({"zones": about.dwell()})

    @routes.get("/visits", summary="Every stay in every zone")
    def visits(_who: viewer, about: asked) -> Envelope:
        return answered({"visits": about.zone_visits()})

    @routes.get("/occupancy", summary="How many were where, over time")
    def occupancy(_who: viewer, about: asked, bin_s: Bin = 10.0) -> Envelope:
        return answered({"zones": about.occupancy(bin_s)})

    @routes.get("/flow", summary="From which zone to which people went")
    def flow(_who: viewer, about: asked) -> Envelope:
        return answered(about.flow())

    @routes.get("/lines", summary="Who passed which line, when and which way")
    def lines(_who: viewer, about: asked, bin_s: Bin = 10.0) -> Envelope:
        return answered({"lines": about.lines(bin_s)})

    return routes


def _ground(services: Installation, guard: Guard) -> APIRouter:
    """Speeds, meetings and heat."""
    routes = APIRouter(prefix="/api/v1/analytics", tags=["analytics"], responses=answers(404))
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    asked = Annotated[Answers, Depends(asking(services))]

    @routes.get("/speeds", summary="How fast people went")
    def speeds(_who: viewer, about: asked) -> Envelope:
        return answered(about.speeds())

    @routes.get("/meetings", summary="Who was near whom, and how long")
    def meetings(
        _who: viewer,
        about: asked,
        near_m: Metres = 1.5,
        least_s: Annotated[float, Query(ge=0, le=86_400)] = 3.0,
    ) -> Envelope:
        return answered({"meetings": about.meetings(near_m, least_s)})

    @routes.get("/heatmap", summary="How much time was spent on each patch of the ground")
    def heatmap(_who: viewer, about: asked, cell_m: Metres = 0.5) -> Envelope:
        return answered(about.heatmap(cell_m))

    @routes.get("/heatmap.png", summary="The same as a picture", response_class=Response, responses=_PNG)
    def heatmap_png(_who: viewer, about: asked, cell_m: Metres = 0.5) -> Response:
        return Response(png(drawn(picture_of(about, cell_m))), media_type="image/png")

    return routes
