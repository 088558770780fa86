"""What clients ask of runs; workers do it."""

import secrets
import string
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, final

from fastapi import UploadFile
from pydantic import ValidationError

from sightline.errors import ConflictError, UnknownError
from sightline.jobs.kinds.reconstruct import RECONSTRUCT
from sightline.model.artifact import Artifact
from sightline.model.job import OPEN, Job
from sightline.model.run import Run
from sightline.server.installation import Installation
from sightline.server.runs import shapes, standing, uploads
from sightline.server.runs.errors import RefusalError
from sightline.server.runs.folder import Folders
from sightline.server.runs.uploads import Arrival
from sightline.stores.sql.runs import Runs

_LETTERS = string.digits + string.ascii_lowercase
_N_LETTERS = 7


@final
class RunDesk:
    """Makes runs, gathers their pictures, has them done, and tells how far they are."""

    def __init__(self, services: Installation) -> None:
        self._services = services
        self._runs = Runs(services.engine)
        self._folders = Folders(services)
        self._shown_as: dict[str, shapes.Status] = {}

    def create(self, settings: shapes.Settings, owner: str) -> shapes.Created:
        """A new run, without pictures."""
        run = self._add(settings, owner)
        return shapes.Created(runId=run.id, status=self._shown(run).status)

    def page(self, limit: int, before: str | None) -> shapes.Page:
        """Runs, newest first.

        Raises:
            RefusalError: there is no run ``before``.
        """
        last = None if before is None else self._get(before)
        found = self._runs.page(limit=limit + 1, before=last)
        more = found[limit - 1].id if len(found) > limit else None
        views = [self._view(run) for run in found[:limit]]
        return shapes.Page(runs=views, total=self._runs.count(), next=more)

    def view(self, run_id: str) -> shapes.RunView:
        """How far a run is.

        Raises:
            RefusalError: there is none.
        """
        return self._view(self._get(run_id))

    def add_pictures(self, run_id: str, parts: Sequence[UploadFile], owner: str) -> shapes.Uploaded:
        """Takes pictures in: all of them or, if one is none, not any.

        One of a name that is there replaces it; one that is there under another name is left out.

        Raises:
            RefusalError: there is no such run, its work has begun, or it has a video.
            SightlineError: one of them is no picture, or cannot be kept.
        """
        run = self._waiting(run_id, "Failed to upload images")
        if run.is_video:
            raise RefusalError(400, "Failed to upload images", "the run has a video")
        with uploads.pictures(self._services, parts) as arrived, self._keeping() as keep:
            there = {self._services.files.get(number).key: name for name, number in run.files.items()}
            new: dict[str, str] = {}
            duplicates = []
            for one in arrived:
                stored = self._services.artifacts.put(one.path)
                if there.setdefault(stored.key, one.name) == one.name:
                    new[one.name] = keep(one, stored.key, stored.n_bytes, owner)
                else:
                    duplicates.append(one.name)
            if len({*run.files, *new}) > uploads.MOST_FILES:
                raise RefusalError(400, "Failed to upload images", f"a run has at most {uploads.MOST_FILES} pictures")
            run = self._change(run_id, lambda now: {**now.files, **new}, is_video=False)
        self._show(run)
        return shapes.Uploaded(
            runId=run.id, imagesUploaded=len(new), images=sorted(run.files), duplicates=duplicates or None
        )

    def set_video(self, run_id: str, parts: Sequence[UploadFile], owner: str) -> shapes.VideoUploaded:
        """Takes one video in, instead of what the run had.

        Raises:
            RefusalError: there is no such run, or its work has begun.
            SightlineError: it is no video, or cannot be kept.
        """
        self._waiting(run_id, "Failed to upload video")
        with uploads.video(self._services, parts) as arrived, self._keeping() as keep:
            stored = self._services.artifacts.put(arrived.path)
            number = keep(arrived, stored.key, stored.n_bytes, owner)
            run = self._change(run_id, lambda _now: {arrived.name: number}, is_video=True)
        self._show(run)
        return shapes.VideoUploaded(runId=run.id, video=arrived.name)

    def process(self, run_id: str, owner: str) -> shapes.Started:
        """Has the run done.

        Raises:
            RefusalError: there is no such run, it has no pictures, or its work has begun before.
            SightlineError: an engine or an option is wrong.
        """
        run = self._get(run_id)
        if run.job_id is not None:
            raise RefusalError(400, "Failed to start processing", f"Run is already {self._view(run).status}")
        if not run.files:
            raise RefusalError(400, "Failed to start processing", "No images uploaded for this run")
        self._start(run, None, owner)
        return shapes.Started(runId=run.id, status="processing", message="Processing started")

    def rerun(self, run_id: str, given: Mapping[str, Any], owner: str) -> shapes.Rerun:
        """A new run on the same pictures. Where only what is shown is different, nothing is reconstructed again.

        Raises:
            RefusalError: there is no such run, it has no pictures any more, or the settings make no sense.
        """
        try:
            source = self._settled(self._runs.get(run_id))
        except UnknownError:
            raise RefusalError(404, "Source run not found") from None
        if not source.files:
            raise RefusalError(400, "Source run has no images to reprocess")
        before = shapes.Settings.model_validate(dict(source.settings))
        settings = _merged(before, given)
        try:
            sources = [(name, self._services.files.get(number)) for name, number in sorted(source.files.items())]
        except UnknownError:
            raise RefusalError(400, "Source run has no images to reprocess", "they were removed") from None
        scene = self._made(source, "predictions") if settings.inference() == before.inference() else None
        run = self._add(settings, owner, parent=source, files=sources)
        self._start(run, scene and self._copied(scene, owner), owner)
        return shapes.Rerun(runId=run.id, status="processing", parentRunId=source.id, images=len(run.files))

    def cancel(self, run_id: str) -> shapes.RunView:
        """Has the work on a run end.

        Raises:
            RefusalError: there is no such run, or it is not being worked on.
        """
        run = self._settled(self._get(run_id))
        is_ending = False
        if run.job_id is not None and run.outcome is None:
            with suppress(ConflictError, UnknownError):  # it has ended
                self._services.desk.cancel(run.job_id)
                is_ending = True
        if not is_ending:
            raise RefusalError(400, "Failed to cancel run", f"Run is {self._view(run).status}")
        return self._view(self._get(run_id))

    def remove(self, run_id: str) -> shapes.Deleted:
        """Forgets a run with its pictures and what came of it; work on it ends.

        Raises:
            RefusalError: there is no such run.
        """
        run = self._settled(self._get(run_id))
        if run.job_id is not None:
            with suppress(ConflictError, UnknownError):  # it has ended
                self._services.desk.cancel(run.job_id)
            with suppress(ConflictError, UnknownError):  # it has not: it will be forgotten in time
                self._services.jobs.delete(run.job_id)
                self._services.files.delete_of_job(run.job_id)
        self._runs.delete(run.id)
        self._folders.remove(run)
        self._forget([*run.files.values(), *(run.outcome or {"files": {}})["files"].values()])
        return shapes.Deleted(runId=run.id, message="Run deleted")

    def artifact(self, run_id: str, kind: str) -> Artifact:
        """Something that came of a run.

        Raises:
            RefusalError: there is no such run, no such kind of thing, or nothing of that kind.
        """
        if kind not in standing.TYPES:
            raise RefusalError(400, "Invalid artifact type", f"there are: {', '.join(sorted(standing.TYPES))}")
        found = self._made(self._settled(self._get(run_id)), kind)
        if found is None:
            raise RefusalError(404, "Artifact not found")
        return found

    def settle_all(self) -> None:
        """Notes what came of every run whose work has ended; the folders of the others show where they stand."""
        before, self._shown_as = self._shown_as, {}
        for run in self._runs.under_way():
            if self._settled(run).outcome is None:
                self._shown_as[run.id] = self._shown(run).status
                if self._shown_as[run.id] != before.get(run.id):
                    self._show(run)

    def _get(self, run_id: str) -> Run:
        try:
            return self._runs.get(run_id)
        except UnknownError:
            raise RefusalError(404, "Run not found") from None

    def _waiting(self, run_id: str, failed: str) -> Run:
        """The run, if its work has not begun."""
        run = self._get(run_id)
        if run.job_id is not None:
            raise RefusalError(400, failed, f"Run is already {self._view(run).status}")
        return run

    def _change(self, run_id: str, change: Any, *, is_video: bool) -> Run:
        """Other files for a run; those that it had and has no more are forgotten."""
        before: list[str] = []

        def noted(run: Run) -> Mapping[str, str]:
            before[:] = run.files.values()
            return change(run)

        try:
            run = self._runs.change_files(run_id, is_video, noted)
        except (ConflictError, UnknownError) as error:
            status, failed = (404, "Run not found") if isinstance(error, UnknownError) else (400, "Failed to upload")
            raise RefusalError(status, failed, str(error)) from None
        self._forget(set(before) - set(run.files.values()))
        return run

    @contextmanager
    def _keeping(self) -> Iterator[Any]:
        """Notes files as kept; on any failure none of them."""
        noted: list[str] = []

        def keep(one: Arrival, key: str, n_bytes: int, owner: str) -> str:
            noted.append(uploads.kept(self._services, one.name, key, n_bytes, one.media_type, owner).id)
            return noted[-1]

        is_done = False
        try:
            yield keep
            is_done = True
        finally:
            if not is_done:
                self._forget(noted)

    def _add(
        self,
        settings: shapes.Settings,
        owner: str,
        parent: Run | None = None,
        files: Sequence[tuple[str, Artifact]] = (),
    ) -> Run:
        """A new run, with files of its own that share the bytes of others."""
        own = {name: self._copied(file, owner).id for name, file in files}
        run = Run(
            id=_new_id(),
            owner=owner,
            settings=settings.said(),
            files=own,
            is_video=parent is not None and parent.is_video,
            parent_id=None if parent is None else parent.id,
        )
        return self._show(self._runs.add(run))

    def _copied(self, file: Artifact, owner: str) -> Artifact:
        """The same bytes, kept once more under the same name: they stay when the others go."""
        return uploads.kept(self._services, file.name, file.key, file.n_bytes, file.media_type, owner)

    def _start(self, run: Run, scene: Artifact | None, owner: str) -> None:
        """Has the run done by a job, unless another request was first."""
        settings = shapes.Settings.model_validate(dict(run.settings))
        sources = [f"artifact:{run.files[name]}" for name in sorted(run.files)]
        params = {"sources": sources, **settings.params()} | (
            {} if scene is None else {"scene": f"artifact:{scene.key}"}
        )
        job = self._services.desk.submit(RECONSTRUCT.name, params, owner)
        if not self._runs.begin(run.id, job.id):
            self._services.desk.cancel(job.id)
            raise RefusalError(400, "Failed to start processing", "Run is already processing")
        self._show(self._runs.get(run.id))

    def _settled(self, run: Run) -> Run:
        """The run; what came of it is noted if its work has ended."""
        if run.job_id is None or run.outcome is not None:
            return run
        job = self._job(run)
        if job is not None and job.state in OPEN:
            return run
        outcome = standing.lost() if job is None else self._outcome(run, job)
        is_first = self._runs.settle(run.id, outcome)
        if not is_first:
            self._forget(outcome["files"].values())
        run = self._get(run.id)
        return self._show(run) if is_first else run

    def _outcome(self, run: Run, job: Job) -> dict[str, Any]:
        """What came of a run, kept beyond the job."""
        made = standing.outcome_of(job)
        files = standing.files_of(job, self._services.files.page(limit=50, job_id=job.id))
        if (scene := job.params.get("scene")) is not None:
            self._forget([scene.removeprefix("artifact:")])
        return made | {"files": {kind: self._copied(file, run.owner).id for kind, file in files.items()}}

    def _view(self, run: Run) -> shapes.RunView:
        run = self._settled(run)
        return standing.view(run, None if run.outcome is not None else self._job(run))

    def _shown(self, run: Run) -> shapes.RunView:
        return standing.view(run, self._job(run))

    def _show(self, run: Run) -> Run:
        """The run, after its folder shows it; no folder of a run that is gone meanwhile."""
        self._folders.show(run, self._shown(run))
        try:
            self._runs.get(run.id)
        except UnknownError:
            self._folders.remove(run)
        return run

    def _job(self, run: Run) -> Job | None:
        try:
            return None if run.job_id is None else self._services.jobs.get(run.job_id)
        except UnknownError:
            return None

    def _made(self, run: Run, kind: str) -> Artifact | None:
        number = (run.outcome or {"files": {}})["files"].get(kind)
        try:
            return None if number is None else self._services.files.get(number)
        except UnknownError:
            return None

    def _forget(self, numbers: Any) -> None:
        for number in numbers:
            with suppress(UnknownError):  # somebody removed it already
                self._services.files.delete(number)


def _merged(before: shapes.Settings, given: Mapping[str, Any]) -> shapes.Settings:
    """The settings of before, and above them what is given.

    Raises:
        RefusalError: that makes no sense.
    """
    try:
        return shapes.Settings.model_validate({**before.said(), **given})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in ("settings", *first["loc"]))
        raise RefusalError(400, "Failed to rerun", f"{where}: {first['msg']}") from None


def _new_id() -> str:
    """A number nobody has, in the form that clients know."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_N_LETTERS))
    return f"run_{time.time_ns() // 1_000_000}_{letters}"
