"""What clients ask of the drone service: jobs made of requests, their answers, and what to say when they fail."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.responses import Response

from sightline.errors import RefusedError, SourceError
from sightline.jobs.drone.options import ANSWER
from sightline.jobs.kinds.drone import FORBIDDEN, UNFETCHED, UNFIT
from sightline.model.job import OPEN, Job, JobState
from sightline.server.artifacts import kept
from sightline.server.deadlines import within
from sightline.server.drone.shapes import Asked, Parameters, Taken
from sightline.server.installation import Installation

KIND = "drone"
_URLS = {"source": "input_file_url", "log": "flight_log_url", "tracks": "tracking_json_url"}
_FIRST_GLANCE_S, _LONGEST_GLANCE_S = 0.05, 1.0
_GONE = re.compile(r"the server answers (404|410)\b")
_UNREACHED = re.compile(r"the server answers|cannot be reached|fell silent|broke off?|no such host|sends us elsewhere")
"""Faults of whoever has the file; all others are of the file itself."""


class DroneDesk:
    """Takes work in and hands answers out."""

    def __init__(self, services: Installation) -> None:
        self._services = services

    def take(self, asked: Asked, owner: str) -> Job:
        """A job for what is at these addresses, each of which may be opened.

        Raises:
            HTTPException: one may not, or makes no sense; names it and what to do.
        """
        given = {field: getattr(asked, name) for field, name in _URLS.items()}
        for field, url in given.items():
            if url is not None:
                self._check(_URLS[field], url)
        return self._submitted(given, asked.parameters, owner, {"job_id": asked.job_id, "file_id": asked.file_id})

    def take_files(self, files: Mapping[str, UploadFile], parameters: Parameters, owner: str) -> Job:
        """A job for files that were sent, by what they are to the job; they go when it goes.

        Raises:
            StoreError: they cannot be kept.
        """
        numbers = {field: kept(self._services, file, owner).id for field, file in files.items()}
        brought = {field: f"artifact:{number}" for field, number in numbers.items()}
        job = self._submitted(brought, parameters, owner, {})
        self._services.files.belong([*numbers.values()], job.id)
        return job

    async def answer(self, job: Job, request: Request) -> Response:
        """The job's answer, as soon as there is one. The job goes on when nobody waits any more.

        Raises:
            HTTPException: it failed, or takes too long.
        """
        is_over, glance_s = within(self._services.settings.drone.wait_s), _FIRST_GLANCE_S
        while job.state in OPEN and not is_over():
            if await request.is_disconnected():
                return Response(status_code=499)  # nobody is there to read it
            await asyncio.sleep(glance_s)
            glance_s = min(glance_s * 1.3, _LONGEST_GLANCE_S)
            job = await run_in_threadpool(self._services.jobs.get, job.id)
        if job.state is JobState.COMPLETED:
            return await run_in_threadpool(self._sent, job)
        if job.state in OPEN:
            raise HTTPException(504, f"still at work ({job.step}); ask for it at /api/v1/jobs/{job.id}")
        raise _failure(job)

    def _check(self, name: str, url: str) -> None:
        try:
            self._services.policy.check(url)
        except RefusedError as error:
            raise HTTPException(403, f"{name}: {error}") from None
        except SourceError as error:
            raise HTTPException(502 if _UNREACHED.search(str(error)) else 400, f"{name}: {error}") from None

    def _submitted(
        self, files: Mapping[str, str | None], parameters: Parameters | None, owner: str, reference: dict[str, Any]
    ) -> Job:
        options = (parameters or Parameters()).options(self._services.settings.drone.focal_35mm)
        params = {**files, "options": options, "reference": reference}
        return self._services.desk.submit(KIND, params, owner)

    def _sent(self, job: Job) -> Response:
        number = next(one["id"] for one in (job.result or {})["artifacts"] if one["name"] == ANSWER)
        file = self._services.files.get(number)
        headers = {"content-length": str(file.n_bytes), "x-job-id": job.id}
        body = self._services.artifacts.open(file.key, 0, file.n_bytes)
        return StreamingResponse(body, media_type="application/json", headers=headers)


def taken(job: Job) -> JSONResponse:
    """What a client that does not wait is told."""
    url = f"/api/v1/jobs/{job.id}"
    said = Taken(job_id=job.id, status=str(job.state), status_url=url)
    return JSONResponse(said.model_dump(), 202, {"location": url})


def _failure(job: Job) -> HTTPException:
    """The status that fits the error of a job, and what to say."""
    why, headers = job.error or "no reason is known", {"x-job-id": job.id}
    if job.state is JobState.CANCELLED:
        return HTTPException(500, "Processing failed: cancelled", headers)
    if why.startswith(UNFIT):
        return HTTPException(400, why.removeprefix(UNFIT), headers)
    if FORBIDDEN in why:
        return HTTPException(403, why, headers)
    if UNFETCHED in why:
        return HTTPException(404 if _GONE.search(why) else 502 if _UNREACHED.search(why) else 400, why, headers)
    return HTTPException(500, f"Processing failed: {why}", headers)
