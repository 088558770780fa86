"""Pausing, resuming and seeking: how a task is played while it is under way."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from sightline.errors import OptionError
from sightline.jobs.footage import is_live
from sightline.jobs.sites.messages import moment
from sightline.jobs.sites.shelf import Sites
from sightline.model.job import Job
from sightline.model.playback import Playback
from sightline.model.user import Role
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import answers
from sightline.server.installation import Installation
from sightline.server.tracking.finding import active_task
from sightline.server.tracking.shapes import PlaybackView, Seek
from sightline.server.tracking.standing import state
from sightline.stores.sql.playbacks import Playbacks


def router(services: Installation, guard: Guard) -> APIRouter:
    """``/api/v1/controls``."""
    routes = APIRouter(prefix="/api/v1/controls", tags=["multi-camera tracking"], responses=answers(404))
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]
    playbacks = Playbacks(services.engine)

    @routes.post("/{task_id}/pause", summary="Let a task stand still")
    def pause(_who: operator, task_id: UUID) -> PlaybackView:
        job = active_task(services, task_id)
        return _view(job, playbacks.pause(job.id, is_paused=True))

    @routes.post("/{task_id}/resume", summary="Let a task go on")
    def resume(_who: operator, task_id: UUID) -> PlaybackView:
        job = active_task(services, task_id)
        return _view(job, playbacks.pause(job.id, is_paused=False))

    @routes.post("/{task_id}/seek", summary="Go to another moment", responses=answers(400))
    def seek(_who: operator, task_id: UUID, asked: Seek) -> PlaybackView:
        job = active_task(services, task_id)
        _check(services, job, playbacks.get(job.id), asked.frame_index)
        return _view(job, playbacks.seek(job.id, asked.frame_index))

    @routes.get("/{task_id}/status", summary="Where a task is")
    def status(_who: viewer, task_id: UUID) -> PlaybackView:
        job = active_task(services, task_id)
        return _view(job, playbacks.get(job.id))

    return routes


def _check(services: Installation, job: Job, playback: Playback, goal: int) -> None:
    """Returns if the task can go there.

    Raises:
        OptionError: it cannot; says why.
    """
    site = Sites(services.settings.sites()).get(str(job.params["site"]))
    if any(is_live(video) for watch in site.watches for video in watch.videos):
        raise OptionError("frame_index: this site has live cameras, which have no earlier or later; leave seeking out")
    if playback.total is None:
        raise OptionError("frame_index: it is not known yet how many there are; ask again when the task is processing")
    if goal >= playback.total:
        raise OptionError(f"frame_index: {goal} is past the end; the last is {playback.total - 1}")


def _view(job: Job, playback: Playback) -> PlaybackView:
    return PlaybackView(
        task_id=str(UUID(job.id)),
        state=state(job, playback),
        last_transition_at=moment(playback.changed_utc_s or job.started_utc_s or job.created_utc_s),
        last_frame_index=playback.last,
        last_error=job.error,
        total_frames=playback.total,
    )
