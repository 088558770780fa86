"""What keeps jobs in order: places, progress, and what is removed when nobody needs it any more."""

import threading
import time
import uuid

import pytest
from sqlalchemy.exc import OperationalError

from sightline.jobs import kinds
from sightline.jobs.progress import Progress
from sightline.jobs.worker import _KEEP_FAILED_S, _MOST_FAILED, _clear_work
from sightline.jobs.workflow import Bench, Places, PutDownError
from sightline.model.job import Job, JobState
from sightline.settings import load
from sightline.stores.sql.database import database_at
from sightline.stores.sql.jobs import Jobs


@pytest.fixture
def jobs(tmp_path):
    engine = database_at(f"sqlite:///{tmp_path / 'rows.db'}")
    yield Jobs(engine)
    engine.dispose()


def running(jobs, **changes):
    job = jobs.add(Job(id=uuid.uuid4().hex, kind="extract", params={"source": "a"}))
    return jobs.move(job.id, JobState.RUNNING, **changes)


def never():
    return False


def test_no_more_are_at_work_than_there_are_places():
    places, most, gate = Places({"heavy": 2}), [], threading.Event()

    def work():
        with places.place("heavy", "1", never):
            most.append(places.n_taken())
            gate.wait(10)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    while len(most) < 2:
        time.sleep(0.01)
    assert places.n_free("heavy") == 0
    gate.set()
    for thread in threads:
        thread.join(10)
    assert max(most) == 2
    assert len(most) == 5
    assert places.n_free("heavy") == 2


def test_who_is_stopped_waits_for_no_place():
    places = Places({"light": 1})
    with places.place("light", "1", never), places.place("light", "2", lambda: True):
        assert places.n_taken() == 1
    assert places.n_taken() == 0


def test_who_rests_leaves_the_place_to_others_and_counts_again_when_going_on():
    places = Places({"heavy": 1})
    with places.place("heavy", "paused", never):
        places.rest(["paused", "elsewhere"])
        assert places.n_free("heavy") == 1
        with places.place("heavy", "next", never):
            places.rest(["paused", "next"])
            assert places.n_free("heavy") == 0  # two that rest are enough
            places.rest([])
            assert places.n_free("heavy") == -1
        assert places.n_free("heavy") == 0
    assert places.n_free("heavy") == 1


def test_progress_is_of_the_whole_and_never_goes_back(jobs):
    job = running(jobs)
    progress = Progress(jobs, job, kinds.kind("extract").steps_for({}), stopping=never)
    progress.enter(1)
    seen = []
    for done in (10, 60, 5):  # the third is of another pass over the same pictures
        progress.tell("taking pictures", done, 100)
        progress._note_s = 0.0
        assert not progress.stopped()
        seen.append(jobs.get(job.id).progress)
    assert seen == [pytest.approx(0.1 + 0.85 * 0.1), pytest.approx(0.1 + 0.85 * 0.6), pytest.approx(0.1 + 0.85 * 0.6)]
    assert jobs.get(job.id).step == "taking pictures (5 of 100)"


def test_each_pass_has_a_part_of_its_step(jobs):
    progress = Progress(jobs, running(jobs), kinds.kind("reconstruct").steps_for({}), stopping=never)
    progress.enter(1)
    seen = []
    for name, done, total in (("features", 9, 9), ("matching", 5, 10), ("mapping", 0, None), ("depth", 9, 9)):
        progress.tell(name, done, total)
        seen.append(progress._told[1])
    assert 0.1 < seen[0] < seen[1] < seen[2] < seen[3] < 0.9
    progress.tell("a pass of another engine", 9, 9)
    assert progress._told == ("a pass of another engine (9 of 9)", pytest.approx(0.9))


def test_an_attempt_that_is_taken_up_again_stands_where_it_stood(jobs):
    job = running(jobs)
    jobs.report(job.id, job.attempt, "taking pictures (6 of 10)", 0.6)
    progress = Progress(jobs, jobs.get(job.id), kinds.kind("extract").steps_for({}), stopping=never)
    assert not progress.stopped()
    assert (jobs.get(job.id).step, jobs.get(job.id).progress) == ("taking pictures (6 of 10)", 0.6)
    progress.enter(1)
    progress.tell("taking pictures", 1, 10)
    assert progress._told == ("taking pictures (1 of 10)", 0.6)


def test_the_row_is_written_at_most_twice_a_second(jobs):
    job = running(jobs)
    progress = Progress(jobs, job, kinds.kind("extract").steps_for({}), stopping=never)
    progress.enter(0)
    writes, end_s = set(), time.monotonic() + 1.2
    while time.monotonic() < end_s:
        progress.tell("fetching", int(time.monotonic() * 1000), None)
        progress.stopped()
        writes.add(jobs.get(job.id).updated_utc_s)
    assert 2 <= len(writes) <= 4


def test_folders_of_jobs_that_are_over_go_and_those_of_the_last_that_failed_stay(jobs, tmp_path):
    work, now_s = tmp_path / "work", time.time()
    failed = [running(jobs).id for _ in range(_MOST_FAILED + 2)]
    for number, job_id in enumerate(failed):
        jobs.move(job_id, JobState.FAILED, finished_utc_s=now_s - number)
    old, done, at_it = running(jobs).id, running(jobs).id, running(jobs).id
    jobs.move(old, JobState.FAILED, finished_utc_s=now_s - _KEEP_FAILED_S - 1)
    jobs.move(done, JobState.COMPLETED)
    for job_id in [*failed, old, done, at_it, "unknown"]:
        (work / job_id / "step").mkdir(parents=True)
    _clear_work(work, jobs, now_s)
    assert {folder.name for folder in work.iterdir()} == {*failed[:_MOST_FAILED], at_it}


def test_a_job_taken_by_a_worker_that_died_before_it_began_is_begun(installation):
    job = installation.submit("quick", pace_s=0.0)
    assert [claimed.id for claimed in installation.jobs.claim(["quick"], 1)] == [job.id]
    installation.start()
    assert installation.desk.wait(job.id, 30.0).state is JobState.COMPLETED
    assert installation.lines() == ["line0"]


def test_a_job_whose_step_cannot_be_remembered_has_not_failed(jobs, tmp_path):
    """The database went away between the step and its record: the job is taken up again when it is back."""
    settings = load(None, data_folder=tmp_path)
    bench = Bench(settings, database_at(settings.database_url()), threading.Event())
    bench._jobs, job = jobs, running(jobs)

    def once(_name, _step):
        raise OperationalError("INSERT", {}, Exception("gone"))

    with pytest.raises(OperationalError):
        bench.do(job.id, job.attempt, once)
    assert jobs.get(job.id).state is JobState.RUNNING
    assert bench.places.n_taken() == 0


def test_the_database_is_asked_again_until_the_worker_ends(tmp_path):
    settings, stopping, asked = load(None, data_folder=tmp_path), threading.Event(), []
    bench = Bench(settings, database_at(settings.database_url()), stopping)

    def ask():
        asked.append(1)
        if len(asked) == 2:
            stopping.set()
        raise OperationalError("SELECT", {}, Exception("gone"))

    with pytest.raises(PutDownError):
        bench._heard(ask)
    assert len(asked) == 2
    assert bench._heard(lambda: 7) == 7
