"""A worker: takes jobs that wait, does them, takes up again what was broken off, and keeps cameras going."""

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, final

from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from sightline.errors import ConflictError, StoreError
from sightline.executors.apart import prepare
from sightline.jobs import kinds
from sightline.jobs.cameras.keeper import Keeper
from sightline.jobs.history.forgetting import Forgetting
from sightline.jobs.orphans import sweep
from sightline.jobs.slot import dead_slots, take_slot
from sightline.jobs.workflow import Bench, PutDownError
from sightline.model.job import Job, JobState
from sightline.settings import Settings
from sightline.stores.artifacts import artifacts_at
from sightline.stores.sql.artifacts import ArtifactRecords
from sightline.stores.sql.cameras import Cameras
from sightline.stores.sql.database import database_at
from sightline.stores.sql.jobs import Jobs
from sightline.stores.sql.playbacks import Playbacks

_GLANCE_S = 0.2
"""How often it is asked whether jobs wait."""
_TAKE_OVER_S = 2.0
"""How often it is looked whether another worker was killed."""
_TIDY_S = 60.0
"""How often what nobody needs is removed."""
_REST_S = 60.0
"""A job that stands still for so long, because somebody paused it, leaves its place to others."""
_SETTLED_S = 1.0
"""How long what was put down is left alone, so that nothing of it is at work any more."""
_LOOK_S = 1.0
"""How often it is looked which jobs do."""
_QUIET_S = 3.0
"""A running job that told nothing for so long is looked at."""
_SWEEP_S = 3600.0
"""How often kept bytes that nobody refers to are looked for."""
_KEEP_FAILED_S = 24 * 3600.0
_MOST_FAILED = 16
"""What failed jobs had done is kept so long, and of so many, for another attempt."""
_KEEP_WORKFLOWS_S = 3600.0
_MOST_CRASHES = 50
"""A job that was under way at so many deaths of a worker is not begun again."""
_PATIENCE_S = 5.0
_VERSION = "sightline"
"""Of the workflow as DBOS knows it: the same for all of ours, so that an upgrade goes on with what it finds."""
_PREPARED = (
    "sightline.jobs.cameras.process",
    "sightline.jobs.receipt",
    "sightline.jobs.footage",
    "sightline.jobs.kept",
    "sightline.formats.jpeg",
    "sightline.sources.stream",
    "sightline.sources.video",
)
"""What steps begin with: nearly all need it, and importing it takes longer than many a step."""
_log = logging.getLogger(__name__)


def run_worker(settings: Settings, stopped: Callable[[], bool], name: str | None = None) -> None:
    """Works until ``stopped`` turns true; jobs under way are then put down and taken up again at the next start.

    Raises:
        SightlineError: the database cannot be reached, or there are too many workers of this name.
        OSError: the data folder cannot be written.
    """
    settings = _plain(settings)
    prepare(_PREPARED)
    stopping = threading.Event()
    with ExitStack() as stack:
        slot = take_slot(settings.data_folder / "workers", name)
        stack.callback(slot.free)
        engine = database_at(settings.database_url())
        stack.callback(engine.dispose)
        bench = Bench(settings, engine, stopping)
        rounds = Rounds(settings, engine, bench)
        stack.callback(DBOS.destroy)
        rounds.launch(slot.name)
        keeping = threading.Thread(
            target=Keeper(settings, engine, slot.name).run, args=(stopping.is_set,), name="keeper"
        )
        keeping.start()
        stack.callback(keeping.join)
        stack.callback(_settle, bench)
        stack.callback(stopping.set)
        _log.info("worker=%s ready", slot.name)
        while not stopped():
            rounds.go()
        _log.info("worker=%s ending", slot.name)


@final
class Rounds:
    """What a worker does again and again."""

    def __init__(self, settings: Settings, engine: Engine, bench: Bench) -> None:
        self._settings, self._bench = settings, bench
        self._jobs, self._cameras, self._playbacks = Jobs(engine), Cameras(engine), Playbacks(engine)
        self._wake = threading.Event()
        self._put_down: dict[str, float] = {}
        self._kinds: dict[str, list[str]] = {"heavy": [], "light": []}
        for one in map(kinds.kind, kinds.names()):
            self._kinds[one.queue].append(one.name)
        self._files = ArtifactRecords(engine)
        self._forgetting = Forgetting(engine, artifacts_at(settings.artifacts_url()))
        self._due_s = {self._take_over: 0.0, self._look_after: 0.0, self._tidy: 0.0, self._let_rest: 0.0}
        self._due_s |= {self._sweep: time.monotonic() + _SWEEP_S / 2}
        self._every_s = {self._take_over: _TAKE_OVER_S, self._look_after: _QUIET_S, self._tidy: _TIDY_S}
        self._every_s |= {self._let_rest: _LOOK_S}
        self._every_s |= {self._sweep: _SWEEP_S}

    def launch(self, executor: str) -> None:
        """Starts the engine of workflows, which goes on with what ``executor`` had begun before."""
        workflows = self._settings.workflows_url()
        config: DBOSConfig = {
            "name": "sightline",
            "application_version": _VERSION,
            "executor_id": executor,
            "log_level": "WARNING",
            "serializer": _Json(),
        }
        if workflows.startswith("sqlite"):
            config["system_database_engine"] = _sqlite(workflows)
        else:
            driven = make_url(workflows).set(drivername="postgresql")
            config["system_database_url"] = driven.render_as_string(hide_password=False)
        DBOS(config=config)
        DBOS.listen_queues([])
        self._workflow = DBOS.workflow(name="job", max_recovery_attempts=_MOST_CRASHES)(self._job())
        DBOS.launch()

    def _job(self) -> Callable[[str, int], None]:
        def job(job_id: str, attempt: int) -> None:
            try:
                self._bench.do(job_id, attempt, lambda name, step: DBOS.run_step({"name": name}, step))
            except OperationalError as error:
                _log.warning("job=%s put down until the database is back: %s", job_id, type(error.orig).__name__)
                self._put_down[f"{job_id}-{attempt}"] = time.monotonic()
                raise PutDownError from error
            finally:
                self._wake.set()

        return job

    def go(self) -> None:
        """One round; returns after a fifth of a second, or when a job has ended."""
        try:
            for queue, names in self._kinds.items() if self._jobs.is_any_waiting() else ():
                free = self._bench.places.n_free(queue)
                for job in self._jobs.claim(names, free) if free > 0 else ():
                    self._begin(job)
            self._take_up()
            for chore, due_s in self._due_s.items():
                if time.monotonic() >= due_s:
                    self._due_s[chore] = time.monotonic() + self._every_s[chore]
                    chore()
        except SQLAlchemyError as error:
            _log.warning("database: %s; trying again", type(error).__name__)
            time.sleep(1.0)
        self._wake.wait(_GLANCE_S)
        self._wake.clear()

    def _take_up(self) -> None:
        """Goes on with jobs that were put down for want of the database."""
        ready = [name for name, since_s in self._put_down.items() if time.monotonic() > since_s + _SETTLED_S]
        if ready:
            DBOS.resume_workflows(ready)
            for name in ready:
                del self._put_down[name]

    def _begin(self, job: Job) -> None:
        """Begins a job; one that is known already is not begun twice."""
        with SetWorkflowID(_workflow_id(job)):
            DBOS.start_workflow(self._workflow, job.id, job.attempt)

    def _take_over(self) -> None:
        """Goes on with what killed workers had begun."""
        with dead_slots(self._settings.data_folder / "workers") as dead:
            for name in dead:
                self._cameras.release_all(name)
                begun = DBOS.list_workflows(status="PENDING", executor_id=name, load_input=False, load_output=False)
                if begun:
                    _log.warning("worker=%s is gone, jobs=%d taken over", name, len(begun))
                    DBOS.resume_workflows([workflow.workflow_id for workflow in begun])

    def _let_rest(self) -> None:
        """Jobs that stand still for long do not keep others from beginning."""
        if self._bench.places.n_taken():
            self._bench.places.rest(self._playbacks.resting(for_s=_REST_S))

    def _look_after(self) -> None:
        """Jobs that should be under way and of which nothing is heard: each is begun, or is said to have failed."""
        for job in self._jobs.stalled(since_s=_QUIET_S):
            status = DBOS.get_workflow_status(_workflow_id(job))
            if status is None:
                self._begin(job)
            elif status.status not in {"PENDING", "ENQUEUED", "DELAYED"}:
                _log.error("job=%s has no end, workflow=%s", job.id, status.status)
                why = (
                    f"given up: workers ended {_MOST_CRASHES} times while at it" if status.error else "ended unnoticed"
                )
                self._fail(job, why)

    def _fail(self, job: Job, why: str) -> None:
        try:
            self._jobs.move(job.id, JobState.FAILED, attempt=job.attempt, error=why, step="failed")
        except ConflictError:
            _log.info("job=%s ended meanwhile", job.id)

    def _tidy(self) -> None:
        """Removes what nobody needs any more."""
        now_s = time.time()
        self._jobs.forget_ended(now_s - self._settings.jobs.keep_days * 24 * 3600.0)
        if (days := self._settings.jobs.keep_files_days) is not None:
            self._files.delete_of_gone_jobs(now_s - days * 24 * 3600.0)
        _clear_work(self._settings.data_folder / "work", self._jobs, now_s)
        try:
            self._forgetting.tidy(now_s, self._settings.history.days, self._settings.history.export_hours)
        except StoreError as error:
            _log.warning("forgetting=broken off why=%r", str(error))
        until = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now_s - _KEEP_WORKFLOWS_S))
        over = DBOS.list_workflows(
            status=["SUCCESS", "ERROR"], completed_before=until, limit=1000, load_input=False, load_output=False
        )
        if over:
            DBOS.delete_workflows([workflow.workflow_id for workflow in over])

    def _sweep(self) -> None:
        """Removes kept bytes that nobody refers to any more."""
        try:
            n = sweep(artifacts_at(self._settings.artifacts_url()), self._files, time.time())
        except StoreError as error:
            _log.warning("sweep=broken off why=%r", str(error))
        else:
            _log.info("sweep=done n_removed=%d", n)


def _clear_work(work: Path, jobs: Jobs, now_s: float) -> None:
    """Removes folders of jobs that are over; those of the last few that failed stay for a while."""
    folders = {folder.name: folder for folder in work.glob("*") if folder.is_dir()}
    failed = []
    for job_id, folder in folders.items():
        state, ended_s = jobs.standing(job_id)
        if state is JobState.FAILED and ended_s > now_s - _KEEP_FAILED_S:
            failed.append((ended_s, folder))
        elif state not in {JobState.QUEUED, JobState.RUNNING}:
            shutil.rmtree(folder, ignore_errors=True)
    for _, folder in sorted(failed, reverse=True)[_MOST_FAILED:]:
        shutil.rmtree(folder, ignore_errors=True)


def _settle(bench: Bench) -> None:
    """Gives jobs under way a moment to be put down."""
    end_s = time.monotonic() + _PATIENCE_S
    while bench.places.n_taken() and time.monotonic() < end_s:
        time.sleep(0.02)


def _workflow_id(job: Job) -> str:
    return f"{job.id}-{job.attempt}"


def _plain(settings: Settings) -> Settings:
    """The same settings, such that they can travel to another process."""
    return Settings.model_construct(**{name: getattr(settings, name) for name in Settings.model_fields})


def _sqlite(url: str) -> Engine:
    """The file of workflows: readers never wait, and a commit outlives the process."""
    path = Path(str(make_url(url).database))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600, exist_ok=True)
    engine = create_engine(url, pool_size=20)
    event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: Any, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"  # as DBOS sets it on engines of its own
    for line in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {line}")


@final
class _Json(Serializer):
    """Steps are remembered as JSON: nothing that is read back can run."""

    def serialize(self, data: Any) -> str:
        """As text; what is no JSON, such as an error, as words."""
        return json.dumps(data, default=_words)

    def deserialize(self, serialized_data: str) -> Any:
        """What the text says."""
        return json.loads(serialized_data)

    def name(self) -> str:
        """How DBOS notes it beside the text."""
        return "sightline_json"


def _words(value: object) -> Mapping[str, str]:
    return {"type": type(value).__name__, "text": str(value)}
