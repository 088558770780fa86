"""Tasks of the multi-camera service, as their clients name them."""

from typing import Final
from uuid import UUID

from fastapi import HTTPException

from sightline.errors import UnknownError
from sightline.model.job import OPEN, Job
from sightline.server.installation import Installation

KIND: Final = "site"
"""The kind of job that a task is."""
_UNKNOWN: Final = "Processing task not found."


def task_of(services: Installation, task_id: UUID) -> Job:
    """The job behind a task.

    Raises:
        HTTPException: 404, there is none.
    """
    try:
        job = services.jobs.get(task_id.hex)
    except UnknownError:
        job = None
    if job is None or job.kind != KIND:
        raise HTTPException(404, _UNKNOWN)
    return job


def active_task(services: Installation, task_id: UUID) -> Job:
    """The job behind a task that has not ended.

    Raises:
        HTTPException: 404, there is none, or it has ended.
    """
    job = task_of(services, task_id)
    if job.state not in OPEN:
        raise HTTPException(404, f"Processing task is not active: it is {job.state}.")
    return job
