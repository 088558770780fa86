"""What a camera of a task shows, as a picture that moves: Motion JPEG, which browsers show in an ``img``.

Source: RFC 2046, 5.1 (multipart), as ``multipart/x-mixed-replace``. The boundary that ends a picture is sent with it,
so that it is shown at once and not when the next one comes.
"""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from sightline.jobs.sites.shelf import Sites
from sightline.model.job import Job
from sightline.model.user import Role
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import answers
from sightline.server.installation import Installation
from sightline.server.tracking.finding import active_task
from sightline.server.tracking.viewers import Viewers

_TYPE: Final = "multipart/x-mixed-replace; boundary=frame"
_BOUNDARY: Final = b"--frame\r\n"
_WHO_S: Final = 30.0
"""How often it is asked whether who looks still may."""
_BOXES: Final = "/boxes"
_DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"multipart/x-mixed-replace": {}}, "description": "JPEG pictures, until the task ends"},
    **answers(404),
}


def router(services: Installation, guard: Guard) -> APIRouter:
    """``/api/v1/stream``."""
    routes = APIRouter(prefix="/api/v1/stream", tags=["multi-camera tracking"])
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    viewers = Viewers(services)
    services.ends.append(viewers.end)

    @routes.get(
        "/{task_id}/{camera_id}",
        summary="A camera's pictures as they are watched (Motion JPEG)",
        response_class=StreamingResponse,
        responses=_DESCRIBED,
    )
    async def stream(
        _who: viewer,
        request: Request,
        task_id: UUID,
        camera_id: Annotated[str, Path(max_length=64, description="The camera, as in `tracking_update`.")],
        boxes: Annotated[bool, Query(description="Whether boxes with everybody's number are drawn.")] = False,
    ) -> StreamingResponse:
        job = await run_in_threadpool(_seen_by, services, task_id, camera_id)
        name = camera_id + (_BOXES if boxes else "")
        parts = _parts(viewers, job, name, request, guard)
        return StreamingResponse(parts, media_type=_TYPE, headers={"cache-control": "no-store"})

    return routes


def _seen_by(services: Installation, task_id: UUID, camera_id: str) -> Job:
    """The task, if it is under way and its site has that camera.

    Raises:
        HTTPException: 404, it is not, or has not.
    """
    job = active_task(services, task_id)
    site = Sites(services.settings.sites()).get(str(job.params["site"]))
    cameras = [watch.id for watch in site.watches]
    if camera_id not in cameras:
        raise HTTPException(404, f"no camera {camera_id!r}; there are: {', '.join(cameras)}")
    return job


async def _parts(viewers: Viewers, job: Job, name: str, request: Request, guard: Guard) -> AsyncIterator[bytes]:
    """The pictures, each with its header."""
    yield _BOUNDARY
    again_s = time.monotonic() + _WHO_S
    async with viewers.looking(job.id, name) as viewer:
        async for jpeg in viewer.pictures():
            yield b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n%b" % (len(jpeg), jpeg, _BOUNDARY)
            if time.monotonic() >= again_s:
                again_s = time.monotonic() + _WHO_S
                if not await guard.is_still(request):
                    return
