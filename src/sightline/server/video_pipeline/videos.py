"""Videos of which no camera is made: what they are, one picture, a part."""

import asyncio
import re
import threading
import time
from typing import Any

from fastapi import HTTPException, UploadFile
from fastapi.concurrency import run_in_threadpool

from sightline.errors import EngineError
from sightline.jobs.looking import MediaFacts, accelerations
from sightline.model.job import OPEN, Job, JobState
from sightline.server.artifacts import label, spooled
from sightline.server.deadlines import within
from sightline.server.installation import Installation
from sightline.server.looks import Looks
from sightline.server.video_pipeline import shapes

_LOOK_S = 30.0
_SNAPSHOT_S = 120.0
_FIRST_GLANCE_S = 0.02
_LONGEST_GLANCE_S = 0.5
_SLACK_S = 120.0
"""What a recording may take beyond its own length."""
_GOOD_S = 600.0
"""How long what was found of the hardware is believed."""


class VideoDesk:
    """What clients ask of videos."""

    def __init__(self, services: Installation, looks: Looks) -> None:
        self._services = services
        self._looks = looks

    def info(self, file: UploadFile) -> shapes.Info:
        """What an uploaded file is; it is not kept.

        Raises:
            SightlineError: it is no video.
        """
        with spooled(self._services, file) as path:
            return _info(self._looks.file(path, label(file.filename or "")))

    async def info_url(self, url: str) -> shapes.Info:
        """What a file of this machine's media folders or a stream is.

        Raises:
            SightlineError: it is not allowed, does not answer, or is no video.
        """
        found = await run_in_threadpool(self._looked, url.strip())
        if isinstance(found, Job):
            found = MediaFacts(**((await self._done(found, _SNAPSHOT_S)).result or {}))
        return _info(found)

    async def snapshot(self, asked: shapes.SnapshotAsked, owner: str) -> shapes.Output:
        """One picture, kept.

        Raises:
            SightlineError: the address is not allowed.
            HTTPException: there is no such picture.
        """
        params = {
            "source": asked.video_url,
            "t_s": asked.timestamp,
            "privacy": asked.privacy,
            "name": _named(asked.output_image, "snapshot", ".jpg"),
        }
        job = await run_in_threadpool(self._submitted, "snapshot", params, owner)
        return await self._output(job, "Snapshot captured", _SNAPSHOT_S)

    async def record(self, asked: shapes.RecordingAsked, owner: str) -> shapes.Output:
        """A part of a video, kept.

        Raises:
            SightlineError: the address is not allowed.
            HTTPException: it cannot be recorded, or is longer than the settings allow.
        """
        longest_s = self._services.settings.video_pipeline.record_seconds
        if not 0 < asked.duration <= longest_s:
            raise HTTPException(
                400, f"duration must be more than 0 and at most {longest_s:g} s, not {asked.duration:g}"
            )
        params = {
            "source": asked.video_url,
            "start_s": asked.start_time,
            "duration_s": asked.duration,
            "privacy": asked.privacy,
            "name": _named(asked.output_path, "recording", ".mp4"),
        }
        job = await run_in_threadpool(self._submitted, "clip", params, owner)
        return await self._output(job, "Recording successful", asked.duration + _SLACK_S)

    def _looked(self, url: str) -> MediaFacts | Job:
        """What it is, or the job that finds out: files from elsewhere have to be fetched first."""
        address = self._services.policy.check(url)
        if address.path is not None:
            return self._looks.file(address.path, address.shown)
        if address.pinned_url is not None:
            return self._looks.stream(address.pinned_url, self._services.settings.video_pipeline.connect_timeout_s)
        return self._services.desk.submit("look", {"source": url}, "video-pipeline")

    def _submitted(self, kind: str, params: dict[str, Any], owner: str) -> Job:
        self._services.policy.check(params["source"])
        return self._services.desk.submit(kind, params, owner)

    async def _output(self, job: Job, message: str, patience_s: float) -> shapes.Output:
        artifact_id = ((await self._done(job, patience_s)).result or {})["artifacts"][0]["id"]
        url = f"/api/v1/artifacts/{artifact_id}/content"
        return shapes.Output(message=message, output=url, artifact_id=artifact_id)

    async def _done(self, job: Job, patience_s: float) -> Job:
        """The job, completed. Recordings take long: no thread waits for them, of which there are few."""
        is_over, glance_s = within(patience_s), _FIRST_GLANCE_S
        while job.state in OPEN and not is_over():
            await asyncio.sleep(glance_s)
            glance_s = min(glance_s * 1.5, _LONGEST_GLANCE_S)
            job = await run_in_threadpool(self._services.jobs.get, job.id)
        if job.state is JobState.COMPLETED:
            return job
        if job.state in {JobState.FAILED, JobState.CANCELLED}:
            raise HTTPException(500, job.error or "cancelled")
        await run_in_threadpool(self._services.desk.cancel, job.id)
        raise HTTPException(504, f"not done within {patience_s:g} s ({job.step}); is a worker running?")


class Acceleration:
    """What decodes in hardware, found out once in a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: list[str] = []
        self._good_until_s = 0.0

    def names(self) -> list[str]:
        """Names of devices that work."""
        with self._lock:
            if time.monotonic() > self._good_until_s:
                try:
                    self._found = accelerations(stopped=within(_LOOK_S))
                except EngineError:  # a driver that takes its process with it does not work
                    self._found = []
                self._good_until_s = time.monotonic() + _GOOD_S
            return self._found


def _info(facts: MediaFacts) -> shapes.Info:
    return shapes.Info(
        message="Video information retrieved",
        info=shapes.Facts(
            format=facts.container,
            codec=facts.codec,
            width=facts.width,
            height=facts.height,
            fps=round(facts.fps or 0.0, 6),
            duration=round(facts.duration_s or 0.0, 6),
        ),
    )


def _named(asked: str, otherwise: str, suffix: str) -> str:
    """What to call a file: as asked, as far as that is a name, with the suffix of what it is."""
    stem = re.sub(r"[^\w .-]", "_", asked.rpartition(".")[0] or asked).lstrip(". ")[:90]
    return f"{stem or otherwise}{suffix}"
