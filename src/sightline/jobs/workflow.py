"""One job from its first step to its end, in such a way that it can be taken up again after any of them."""

import hashlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, TypeVar, final
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from sightline.errors import ConflictError, SightlineError, UnknownError
from sightline.executors.apart import apart
from sightline.jobs import kinds
from sightline.jobs.kinds import Step, Task
from sightline.jobs.kinds.kind import KeptFile
from sightline.jobs.progress import Progress
from sightline.jobs.receipt import Order, carry_out, receipt
from sightline.model.artifact import Artifact
from sightline.model.job import OPEN, Job, JobState
from sightline.settings import Settings
from sightline.stores.sql.artifacts import ArtifactRecords
from sightline.stores.sql.jobs import Jobs

SOURCE = "artifact:"
"""Begins a source that is a kept file; the number of the file follows, or the key of its bytes."""
Once = Callable[[str, Callable[[], Mapping[str, Any]]], Mapping[str, Any]]
"""Runs what is given under a name, or returns what came of it when it was run before."""
Answer = TypeVar("Answer")
_KEY_LENGTH = 64
_PATIENCE_S = 60.0
"""How long it is tried to note an end that cannot be noted."""
_GRACE_S = 0.7
"""How long a step that is to end may take to end by itself."""
_LONGEST_LINE = 500
_ENDS = {JobState.COMPLETED: "done", JobState.FAILED: "failed", JobState.CANCELLED: "cancelled"}
_log = logging.getLogger(__name__)


class PutDownError(BaseException):
    """The worker ends: the job is put down as it is, and taken up again at the next start.

    Not an ``Exception``, so that nothing on the way takes it for the outcome of a step and keeps it.
    """


@dataclass(slots=True)
class Places:
    """Which jobs of each queue are at work here, and how many may be.

    Jobs that rest do not count, as many of them as may be at work: others begin in their place. One that goes on
    counts again at once; until as many have ended, nobody new begins.
    """

    most: Mapping[str, int]
    """By queue, how many at once."""
    _held: dict[str, list[str]] = field(default_factory=dict)
    _resting: frozenset[str] = frozenset()
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def n_free(self, queue: str) -> int:
        """How many more may begin; less than none where several that had rested go on."""
        with self._changed:
            return self._n_free(queue)

    def n_taken(self) -> int:
        """How many have a place, those that rest among them."""
        with self._changed:
            return sum(map(len, self._held.values()))

    def rest(self, job_ids: Collection[str]) -> None:
        """Notes which jobs rest now; all others do not."""
        with self._changed:
            self._resting = frozenset(job_ids)
            self._changed.notify_all()

    @contextmanager
    def place(self, queue: str, job_id: str, stopped: Callable[[], bool]) -> Iterator[None]:
        """Waits for a place, or until ``stopped`` turns true, and holds it."""
        while not (is_mine := self._take(queue, job_id)) and not stopped():
            with self._changed:
                self._changed.wait(0.2)
        try:
            yield
        finally:
            with self._changed:
                if is_mine:
                    self._held[queue].remove(job_id)
                self._changed.notify_all()

    def _take(self, queue: str, job_id: str) -> bool:
        with self._changed:
            is_free = self._n_free(queue) > 0
            if is_free:
                self._held.setdefault(queue, []).append(job_id)
            return is_free

    def _n_free(self, queue: str) -> int:
        held = self._held.get(queue, [])
        return self.most[queue] - len(held) + min(len(self._resting.intersection(held)), self.most[queue])


@final
class Bench:
    """Where a worker does jobs."""

    def __init__(self, settings: Settings, engine: Engine, stopping: threading.Event) -> None:
        self._settings = settings
        self._jobs = Jobs(engine)
        self._files = ArtifactRecords(engine)
        self._stopping = stopping
        self._work = settings.data_folder.absolute() / "work"
        self.places = Places({"heavy": settings.jobs.heavy, "light": settings.jobs.light})

    def do(self, job_id: str, attempt: int, once: Once) -> None:
        """Does an attempt at a job, or the rest of it; ``once`` remembers steps across the death of the process.

        Raises:
            PutDownError: the worker is to end.
            OperationalError: what a step came to cannot be remembered: the database is away.
        """
        try:
            job = self._heard(lambda: self._jobs.get(job_id))
        except UnknownError:
            return
        if job.attempt != attempt or job.state not in OPEN:
            return
        try:
            state, changes = self._all_steps(job, once)
        except SightlineError as error:
            state, changes = JobState.FAILED, {"error": str(error)}
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001  (whatever a job does, the worker goes on)
            _log.exception("job=%s kind=%s", job.id, job.kind)
            state, changes = JobState.FAILED, {"error": f"a fault of ours: {type(error).__name__}: {error}"}
        self._end(job, state, changes)

    def _all_steps(self, job: Job, once: Once) -> tuple[JobState, dict[str, Any]]:
        """What became of the job."""
        kind = kinds.kind(job.kind)
        steps = kind.steps_for(job.params)
        progress = Progress(self._jobs, job, steps, stopping=self._stopping.is_set)
        done: dict[str, Mapping[str, Any]] = {}
        with self.places.place(kind.queue, job.id, progress.stopped):
            for index, step in enumerate(steps):
                outcome = once(step.name, lambda index=index: self._step(job, index, done, progress))  # type: ignore[misc]
                if "done" not in outcome:
                    is_failed = "failed" in outcome
                    return (JobState.FAILED, {"error": outcome["failed"]}) if is_failed else (JobState.CANCELLED, {})
                done[step.name] = outcome["done"]
        return JobState.COMPLETED, {"result": dict(done[steps[-1].name]), "progress": 1.0}

    def _step(
        self, job: Job, index: int, earlier: Mapping[str, Mapping[str, Any]], progress: Progress
    ) -> Mapping[str, Any]:
        """``{"done": what step ``index`` came to}``, ``{"failed": why}``, or nothing when it was cancelled.

        Raises:
            PutDownError: the worker is to end.
        """
        step = kinds.kind(job.kind).steps_for(job.params)[index]
        folder = self._work / job.id / step.name
        try:
            if receipt(folder) is None and not progress.stopped():
                progress.enter(index)
                order = Order(step.work, self._heard(lambda: self._task(job, step, earlier)))
                apart(carry_out, order, tell=progress.tell, stopped=progress.stopped, grace_s=_GRACE_S)
        except SightlineError as error:
            shutil.rmtree(folder, ignore_errors=True)
            if not progress.stopped():
                return {"failed": _line(error)}
        done = receipt(folder)
        if done is not None:
            return {"done": self._heard(lambda: self._noted(job, done))}
        if progress.is_cancelled:
            return {}
        raise PutDownError

    def _task(self, job: Job, step: Step, earlier: Mapping[str, Mapping[str, Any]]) -> Task:
        """What the step has to do.

        Raises:
            UnknownError: the source is a kept file that is not kept any more.
        """
        key, name = None, "source"
        source = job.params.get("source")
        if isinstance(source, str):
            name = PurePosixPath(urlsplit(source).path).name or name
            if source.startswith(SOURCE):
                file = self._kept(source, name)
                key, name = file.key, file.name
        named = [*(job.params.get("sources") or ()), *map(job.params.get, ("scene", "log", "tracks"))]
        return Task(
            job_id=job.id,
            params=dict(job.params),
            folder=self._work / job.id / step.name,
            settings=self._settings,
            source_key=key,
            source_name=name,
            files={t: self._kept(t, "file") for t in named if isinstance(t, str) and t.startswith(SOURCE)},
            earlier=dict(earlier),
        )

    def _kept(self, source: str, name: str) -> KeptFile:
        """The kept file that ``source`` says; ``name`` if it says only its bytes.

        Raises:
            UnknownError: it is not kept any more.
        """
        number = source.removeprefix(SOURCE)
        if len(number) == _KEY_LENGTH:
            return KeptFile(number, name)
        file = self._files.get(number)
        return KeptFile(file.key, file.name)

    def _noted(self, job: Job, done: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a step came to, its files noted as kept; noting them again changes nothing."""
        files = []
        for file in done.get("artifacts", ()):
            number = hashlib.sha256(f"{job.id} {job.attempt} {file['name']}".encode()).hexdigest()[:32]
            self._files.add(Artifact(id=number, owner=job.owner, job_id=job.id, **file))
            files.append({"id": number, **{name: file[name] for name in ("name", "media_type", "n_bytes")}})
        return {**done, "artifacts": files} if files else done

    def _heard(self, ask: Callable[[], Answer]) -> Answer:
        """What the database answers, however long it is away.

        Raises:
            PutDownError: the worker is to end before it does.
        """
        while True:
            try:
                return ask()
            except OperationalError as error:
                if self._stopping.wait(1.0):
                    raise PutDownError from error

    def _end(self, job: Job, state: JobState, changes: dict[str, Any]) -> None:
        """Notes how it ended, however long the database is away; what a failed job did stays for the next attempt."""
        changes |= {"step": _ENDS[state]} | ({"error": _line(changes["error"])} if "error" in changes else {})
        give_up_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._jobs.move(job.id, state, attempt=job.attempt, **changes)
                break
            except (ConflictError, UnknownError):
                break  # it was noted before this process took the job up again
            except OperationalError:
                if time.monotonic() > give_up_s or self._stopping.wait(1.0):
                    raise
        _log.info("job=%s kind=%s attempt=%d state=%s", job.id, job.kind, job.attempt, state)
        if state is not JobState.FAILED:
            shutil.rmtree(self._work / job.id, ignore_errors=True)


def _line(error: object) -> str:
    """In one line of a bearable length."""
    line = " ".join(str(error).split())
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}..."
