"""Reconstructions as jobs: workers make them, wherever they run."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import final
from uuid import uuid4

from anyio import to_thread

from sightline.errors import ConflictError, EngineError, UnknownError
from sightline.model.artifact import Artifact
from sightline.model.job import OPEN, Job, JobState
from sightline.server.changes import Changes
from sightline.server.installation import Installation
from sightline.server.tcp.reconstructions import Found

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

    async def submit(self, files: Sequence[Path], owner: str, *, is_near: bool) -> str:
        """Number of the job; the files are kept by then, and go when the scene is made or the job is forgotten.

        Clients on this machine (``is_near``) get as many points as the settings say.

        Raises:
            ConflictError: the owner has too many under way.
            OptionError: there is no such engine as the settings name.
            StoreError: they cannot be kept.
        """
        return await to_thread.run_sync(self._submit, list(files), owner, is_near)

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

    def _submit(self, files: list[Path], owner: str, is_near: bool) -> str:
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
            shown = _SHOWN | {"max_points": tcp.local_points or None if is_near else None}
            asked = {"sources": sources, "engine": tcp.engine, "video_fps": tcp.video_fps, "filters": shown}
            number = self._at.desk.submit(KIND, asked, owner).id
            is_submitted = True
            self._at.files.belong([file.id for file in kept], number)
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
        for source in job.params["sources"]:
            with suppress(UnknownError):  # somebody was faster
                self._at.files.delete(source.removeprefix("artifact:"))
        return self._found(self._at.files.get(scenes[0]).key)

    def _find(self, digits: str) -> Found:
        # The hash of an upload, or of anything else, opens nothing.
        if not self._at.files.is_result(digits, ".glb"):
            raise UnknownError("no reconstruction has this hash")
        return self._found(digits)

    def _found(self, key: str) -> Found:
        n_bytes = self._at.artifacts.n_bytes(key)
        return Found(key, n_bytes, partial(self._at.artifacts.open, key, 0, n_bytes))
