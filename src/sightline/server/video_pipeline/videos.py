"""Videos of which no camera is made: what they are, one picture, a part."""

import re
import threading
import time

from fastapi import HTTPException, UploadFile

from sightline.errors import EngineError
from sightline.jobs.looking import MediaFacts, accelerations, look, look_at_stream
from sightline.model.job import Job, JobState
from sightline.server.artifacts import spooled
from sightline.server.deadlines import within
from sightline.server.installation import Installation
from sightline.server.video_pipeline import shapes

_LOOK_S = 30.0
_SNAPSHOT_S = 120.0
_SLACK_S = 120.0
"""What a recording may take beyond its own length."""
_GOOD_S = 600.0
"""How long what was found of the hardware is believed."""


class VideoDesk:
    """What clients ask of videos."""

    def __init__(self, services: Installation) -> None:
        self._services = services

    def info(self, file: UploadFile) -> shapes.Info:
        """What an uploaded file is; it is not kept.

        Raises:
            SightlineError: it is no video.
        """
        with spooled(self._services, file) as path:
            return _info(look(path, file.filename or "upload", stopped=within(_LOOK_S)))

    def info_url(self, url: str) -> shapes.Info:
        """What a file of this machine's media folders or a stream is.

        Raises:
            SightlineError: it is not allowed, does not answer, or is no video.
        """
        address = self._services.policy.check(url.strip())
        if address.path is not None:
            return _info(look(address.path, address.shown, stopped=within(_LOOK_S)))
        if address.pinned_url is not None:
            timeout_s = self._services.settings.video_pipeline.connect_timeout_s
            return _info(look_at_stream(address.pinned_url, timeout_s, stopped=within(_LOOK_S)))
        job = self._services.desk.submit("look", {"source": url}, "video-pipeline")
        return _info(MediaFacts(**(self._done(job, _SNAPSHOT_S).result or {})))

    def snapshot(self, asked: shapes.SnapshotAsked, owner: str) -> shapes.Output:
        """One picture, kept.

        Raises:
            SightlineError: the address is not allowed.
            HTTPException: there is no such picture.
        """
        self._services.policy.check(asked.video_url)
        params = {
            "source": asked.video_url,
            "t_s": asked.timestamp,
            "name": _named(asked.output_image, "snapshot", ".jpg"),
        }
        return self._output(self._services.desk.submit("snapshot", params, owner), "Snapshot captured", _SNAPSHOT_S)

    def record(self, asked: shapes.RecordingAsked, owner: str) -> shapes.Output:
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
        self._services.policy.check(asked.video_url)
        params = {
            "source": asked.video_url,
            "start_s": asked.start_time,
            "duration_s": asked.duration,
            "name": _named(asked.output_path, "recording", ".mp4"),
        }
        job = self._services.desk.submit("clip", params, owner)
        return self._output(job, "Recording successful", asked.duration + _SLACK_S)

    def _output(self, job: Job, message: str, patience_s: float) -> shapes.Output:
        artifact_id = (self._done(job, patience_s).result or {})["artifacts"][0]["id"]
        url = f"/api/v1/artifacts/{artifact_id}/content"
        return shapes.Output(message=message, output=url, artifact_id=artifact_id)

    def _done(self, job: Job, patience_s: float) -> Job:
        """The job, completed."""
        job = self._services.desk.wait(job.id, patience_s)
        if job.state is JobState.COMPLETED:
            return job
        if job.state in {JobState.FAILED, JobState.CANCELLED}:
            raise HTTPException(500, job.error or "cancelled")
        self._services.desk.cancel(job.id)
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
