"""Who is there just now, as the tasks under way tell it."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool

from sightline.jobs.sites import messages
from sightline.model.job import Job, JobState
from sightline.model.user import Role
from sightline.server.analytics.asking import Envelope, answered
from sightline.server.auth.guard import Guard, Principal
from sightline.server.installation import Installation

_MOST_TASKS = 100
Now = dict[str, Any]


def router(services: Installation, guard: Guard) -> APIRouter:
    """``/api/v1/analytics/real-time``."""
    routes = APIRouter(prefix="/api/v1/analytics/real-time", tags=["analytics"])
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]

    @routes.get("/active-persons", summary="Who is seen just now")
    async def active_persons(_who: viewer) -> Envelope:
        people: dict[str, Any] = {}
        for job, now in await _now(services):
            for camera, said in now["cameras"].items():
                for track in said["tracks"]:
                    if track["global_id"] is not None:
                        one = people.setdefault(
                            track["global_id"],
                            {"person_id": track["global_id"], "task_id": str(UUID(job.id)), "cameras": []},
                        )
                        one["cameras"].append({"camera_id": camera, "map_coords": track["map_coords"]})
        return answered({"active_persons": list(people.values()), "total": len(people)})

    @routes.get("/camera-loads", summary="How many each camera sees just now")
    async def camera_loads(_who: viewer) -> Envelope:
        loads = [
            {"camera_id": camera, "task_id": str(UUID(job.id)), "people": len(said["tracks"])}
            for job, now in await _now(services)
            for camera, said in now["cameras"].items()
        ]
        return answered({"cameras": loads})

    @routes.get("/metrics", summary="What is under way just now")
    async def metrics(_who: viewer) -> Envelope:
        now = await _now(services)
        ids = {t["global_id"] for _, one in now for said in one["cameras"].values() for t in said["tracks"]} - {None}
        shown = [
            {
                "task_id": str(UUID(job.id)),
                "environment_id": job.params["site"],
                "progress": job.progress,
                "frame_index": one["frame_index"],
                "updated_at": one["timestamp_processed_utc"],
            }
            for job, one in now
        ]
        return answered({"active_tasks": len(now), "active_persons": len(ids), "tasks": shown})

    return routes


async def _now(services: Installation) -> list[tuple[Job, Now]]:
    """Tasks under way, with the newest moment that each told of; those that told of none yet are left out."""
    jobs = await run_in_threadpool(services.jobs.page, limit=_MOST_TASKS, states=[JobState.RUNNING], kind="site")
    found = []
    for job in jobs:
        last = {message.key: message.data for message in await services.hub.last(messages.channel(job.id))}
        if messages.NOW in last:
            found.append((job, orjson.loads(last[messages.NOW])["payload"]))
    return found
