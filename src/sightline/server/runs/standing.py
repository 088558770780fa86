"""Where a run stands: while its job is under way the job says so, afterwards what was noted of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sightline.jobs.kinds.reconstruct import EXPORTING, RECONSTRUCT
from sightline.model.artifact import Artifact
from sightline.model.job import OPEN, Job, JobState
from sightline.model.run import Run
from sightline.server.errors import RUNS
from sightline.server.runs.shapes import RunView, Status

_TYPES = {
    "scene.glb": "glb",
    "predictions.npz": "predictions",
    "cameras.json": "cameras",
    "points.ply": "ply",
    "colmap.zip": "colmap",
    "nerfstudio.zip": "nerfstudio",
    "partial.npz": "partial",
}
"""Names of files that jobs make, and what clients call them."""
TYPES = frozenset(_TYPES.values())
_STEPS = RECONSTRUCT.steps_for({})
_GATHERED = _STEPS[0].share / sum(step.share for step in _STEPS)
"""How much of the work is done when the pictures are gathered."""


def view(run: Run, job: Job | None) -> RunView:
    """A run as clients see it; ``job`` is its job, if it has one that is known."""
    outcome = run.outcome or (None if job is None or job.state in OPEN else outcome_of(job))
    names = sorted(run.files)
    made = RunView(
        runId=run.id,
        status=_status(run, job),
        settings=dict(run.settings),
        images=[] if run.is_video else names,
        requestedAt=moment(run.created_utc_s),
        parentRunId=run.parent_id,
        video=names[0] if run.is_video and names else None,
    )
    if outcome is not None:
        return made.model_copy(update=_ended(run, outcome))
    if job is not None:
        begun = None if job.started_utc_s is None else moment(job.started_utc_s)
        made = made.model_copy(update={"startedAt": begun, "progress": job.progress, "step": job.step})
    return made


def outcome_of(job: Job) -> dict[str, Any]:
    """What came of a job that has ended, but for its files."""
    is_done = job.state is JobState.COMPLETED
    return {
        "status": "completed" if is_done else "failed",
        "error": None if is_done else job.error or "cancelled",
        "started_utc_s": job.started_utc_s,
        "finished_utc_s": job.finished_utc_s,
        "files": {},
        "summary": (job.result or {}).get("summary"),
    }


def files_of(job: Job, files: list[Artifact]) -> dict[str, Artifact]:
    """By what clients call them, those of the ``files`` that came of this attempt, newest first."""
    made = {file["id"] for file in (job.result or {}).get("artifacts", ())}
    every = [file for file in reversed(files) if not made or file.id in made]
    return {_TYPES[file.name]: file for file in every if file.name in _TYPES}


def lost() -> dict[str, Any]:
    """What is noted of a run whose job is not known any more."""
    return {"status": "failed", "error": "its work was removed from the list of jobs; rerun it", "files": {}}


def moment(utc_s: float) -> str:
    """A time in the form that JavaScript gives it."""
    return datetime.fromtimestamp(utc_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ended(run: Run, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What clients see more of once it has ended."""
    begun, ended = outcome.get("started_utc_s"), outcome.get("finished_utc_s")
    summary = outcome.get("summary")
    told: dict[str, Any] = {
        "startedAt": None if begun is None else moment(begun),
        "finishedAt": None if ended is None else moment(ended),
        "progress": 1.0 if outcome["status"] == "completed" else None,
        "error": outcome.get("error"),
        "artifacts": {kind: f"{RUNS}/{run.id}/artifacts/{kind}" for kind in outcome["files"]},
    }
    if summary is not None:
        told["summary"] = {name: value for name, value in summary.items() if name != "pictures"}
        if run.is_video:
            told["images"] = list(summary.get("pictures", ()))
    return told


def _status(run: Run, job: Job | None) -> Status:
    if run.outcome is not None:
        return run.outcome["status"]
    if run.job_id is None:
        return "uploading" if run.files else "queued"
    if job is None or job.state in {JobState.FAILED, JobState.CANCELLED}:
        return "failed"
    if job.state is JobState.COMPLETED:
        return "completed"
    # Engines count several passes, each to its end: how much is done does not tell whether they are through.
    if job.step.startswith(EXPORTING):
        return "fetching"
    return "processing" if (job.progress or 0.0) >= _GATHERED else "uploading"
