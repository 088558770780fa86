"""Reconstructions as jobs: workers make them, wherever they run."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import final
from uuid import uuid4

from anyio import to_thread
from sqlalchemy import Engine, select

from sightline.errors import ConflictError, EngineError, UnknownError
from sightline.model.artifact import Artifact
from sightline.model.job import OPEN, Job, JobState
from sightline.server.changes import Changes
from sightline.server.installation import Installation
from sightline.server.tcp.reconstructions import Found
from sightline.stores.sql.tables import ARTIFACTS

KIND = "reconstruct"
"""The kind of job."""
_SHOWN = {"mode": "pointmap", "confidence_percentile": 3.0, "show_cameras": False}
"""What clients expect to see of a scene."""
_LOOK_S = 5.0
"""How often a job is looked at although nothing was heard of it."""


@final
class ReconstructionDesk:
    """Hands reconstructions in and waits for them."""

    def __init__(self, installation: Installation, changes: Changes) -> None:
        self._at = installation
        self._changes = changes

    async def submit(self, files: Sequence[Path], owner: str) -> str:
        """Number of the job; the files are kept by then.

        Raises:
            ConflictError: the owner has too many under way.
            OptionError: there is no such engine as the settings name.
            StoreError: they cannot be kept.
        """
        return await to_thread.run_sync(self._submit, list(files), owner)

    async def result(self, number: str) -> Found:
        """What came of a job, as soon as it is done.

        Raises:
            EngineError: it failed or was cancelled.
            UnknownError: somebody deleted it meanwhile.
        """
        job = await to_thread.run_sync(self._at.jobs.get, number)
        async with self._changes.listen(job) as heard:
            async for change in heard.with_pauses(_LOOK_S):
                job = await to_thread.run_sync(self._at.jobs.get, number) if change is None else change
                if job.state not in OPEN:
                    break
        return await to_thread.run_sync(self._made, job)

    async def find(self, digits: str) -> Found:
        """The reconstruction of this hash.

        Raises:
            UnknownError: there is none.
            AbsentError: there is, but its file is gone.
        """
        return await to_thread.run_sync(self._find, digits)

    def _submit(self, files: list[Path], owner: str) -> str:
        tcp = self._at.settings.tcp
        open_ones = self._at.jobs.page(limit=tcp.unfinished_per_user, states=OPEN, kind=KIND, owner=owner)
        if len(open_ones) >= tcp.unfinished_per_user:
            raise ConflictError(f"{owner} has {len(open_ones)} reconstructions under way; wait for one of them")
        kept: list[Artifact] = []
        is_submitted = False
        try:
            for path in files:
                kept.append(self._keep(path, owner))  # noqa: PERF401  (an error lets go of those before it)
            sources = [f"artifact:{file.id}" for file in kept]
            asked = {"sources": sources, "engine": tcp.engine, "video_fps": tcp.video_fps, "filters": _SHOWN}
            number = self._at.desk.submit(KIND, asked, owner).id
            is_submitted = True
        finally:
            if not is_submitted:
                for file in kept:
                    self._at.files.delete(file.id)
        return number

    def _keep(self, path: Path, owner: str) -> Artifact:
        stored = self._at.artifacts.put(path)
        media_type = "application/octet-stream"  # whoever decodes it finds out
        file = Artifact(
            id=uuid4().hex, key=stored.key, name=path.name, media_type=media_type, n_bytes=stored.n_bytes, owner=owner
        )
        return self._at.files.add(file)

    def _made(self, job: Job) -> Found:
        if job.state is not JobState.COMPLETED:
            raise EngineError(f"job {job.id} {job.state}: {job.error or 'somebody ended it'}")
        made = (job.result or {}).get("artifacts", [])
        scenes = [file["id"] for file in made if file["name"].endswith(".glb")]
        if not scenes:
            raise EngineError(f"job {job.id} made no GLB")
        return self._found(self._at.files.get(scenes[0]).key)

    def _find(self, digits: str) -> Found:
        if not _is_scene(self._at.engine, digits):
            raise UnknownError("no reconstruction has this hash")
        return self._found(digits)

    def _found(self, key: str) -> Found:
        n_bytes = self._at.artifacts.n_bytes(key)
        return Found(key, n_bytes, partial(self._at.artifacts.open, key, 0, n_bytes))


def _is_scene(engine: Engine, key: str) -> bool:
    """Whether a job made a GLB with these bytes: the hash of an upload, or of anything else, opens nothing."""
    is_made, is_glb = ARTIFACTS.c.job_id.is_not(None), ARTIFACTS.c.name.endswith(".glb")
    wanted = select(ARTIFACTS.c.id).where(ARTIFACTS.c.key == key, is_made, is_glb)
    with engine.execution_options(reads=True).connect() as connection:
        return connection.execute(wanted.limit(1)).first() is not None
