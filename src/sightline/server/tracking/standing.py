"""How a task of the multi-camera service stands, in the words its clients know."""

import re
from datetime import UTC, datetime
from typing import Any

from sightline.jobs.sites import messages
from sightline.jobs.sites.messages import Standing, Status, moment
from sightline.model.job import Job, JobState
from sightline.model.playback import Playback

_COUNT = re.compile(r" \(\d+(?: of \d+)?\)$")
"""What the store adds to a step: how much of it is done."""
_MOMENTS = re.compile(r"frame batch (\d+) \(Global Index: (\d+)\)")
_PART = re.compile(r"sub-video (\d+)")


def standing(job: Job, playback: Playback) -> Standing:
    """The task and how it is played, as they are in the store."""
    parts = int(job.params["parts"])
    step = _COUNT.sub("", job.step or "")
    status, progress, details = _status(job, step), job.progress or 0.0, None
    if status == "COMPLETED":
        step, progress = "All Processing Complete", 1.0
        missing = ((job.result or {}).get("summary") or {}).get("missing") or {}
        details = "; ".join(f"{name}: {why}" for name, why in missing.items()) or None
    elif status == "FAILED":
        is_cancelled = job.state is JobState.CANCELLED
        step = "Cancelled" if is_cancelled else "Pipeline Failed"
        details = "Task cancelled." if is_cancelled else f"Task failed: {job.error}"
    elif status == "QUEUED":
        step = "Task Queued"
    done = int(found[2]) + 1 if (found := _MOMENTS.search(step)) else 0
    at = int(found[1]) if (found := _PART.search(step)) else 1
    return Standing(
        status=status,
        progress=round(progress, 4),
        current_step=step,
        details=details,
        start_time=None if job.started_utc_s is None else moment(job.started_utc_s),
        last_update_time=moment(job.updated_utc_s or datetime.now(UTC).timestamp()),
        environment_id=str(job.params["site"]),
        total_sub_video_batches=parts,
        completed_sub_video_batches=parts if status == "COMPLETED" else at - 1,
        total_frames_estimate=_moments(job) or (round(done / progress) if progress > 0 else 0),
        processed_frames_count=_moments(job) or done,
        playback=state(job, playback),
    )


def state(job: Job, playback: Playback) -> messages.Playback:
    """Whether the task goes on, stands still, or is not under way."""
    if job.state is not JobState.RUNNING:
        return "stopped"
    return "paused" if playback.is_paused else "playing"


def _status(job: Job, step: str) -> Status:
    if job.state is JobState.COMPLETED:
        return "COMPLETED"
    if job.state in {JobState.FAILED, JobState.CANCELLED}:
        return "FAILED"
    if job.state is JobState.QUEUED:
        return "QUEUED"
    if step.startswith("Downloading"):
        return "DOWNLOADING_DATA"
    return "PROCESSING" if step[:1].isupper() else "INITIALIZING"  # the steps' own names are written so


def _moments(job: Job) -> int:
    summary: dict[str, Any] = (job.result or {}).get("summary") or {}
    return int(summary.get("moments", 0))
