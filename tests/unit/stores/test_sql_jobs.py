"""Jobs, kept: where each stands, and who may move it."""

import threading
import time
import uuid

import pytest

from sightline.errors import ConflictError, UnknownError
from sightline.model.job import Job, JobState
from sightline.stores.sql.jobs import Jobs


@pytest.fixture
def jobs(engine):
    return Jobs(engine)


def new(jobs, kind="track", **changes):
    return jobs.add(Job(id=uuid.uuid4().hex, kind=kind, params={"source": "artifact:1"}, owner="ann", **changes))


def ended(jobs, state, **changes):
    job = new(jobs)
    jobs.move(job.id, JobState.RUNNING)
    return jobs.move(job.id, state, **changes)


def test_what_is_added_is_found_as_it_was(jobs):
    job = new(jobs)
    assert jobs.get(job.id) == job
    assert job.state is JobState.QUEUED
    assert job.params == {"source": "artifact:1"}
    assert abs(job.created_utc_s - time.time()) < 30


def test_a_job_that_is_not_there_is_named(jobs):
    with pytest.raises(UnknownError, match="no job 'ab'"):
        jobs.get("ab")


def test_pages_go_from_new_to_old_without_gap_or_repeat(jobs):
    made = [new(jobs).id for _ in range(7)]
    first = jobs.page(limit=3)
    rest = jobs.page(limit=9, before=first[-1])
    assert [job.id for job in first + rest] == made[::-1]


def test_pages_can_be_narrowed(jobs):
    done, other = ended(jobs, JobState.COMPLETED), new(jobs, kind="clip")
    assert [job.id for job in jobs.page(states=[JobState.COMPLETED])] == [done.id]
    assert [job.id for job in jobs.page(kind="clip")] == [other.id]
    assert not jobs.page(owner="bob")
    assert jobs.counts() == {("track", "completed"): 1, ("clip", "queued"): 1}


def test_the_oldest_are_claimed_first_and_only_of_the_kinds_asked_for(jobs):
    assert not jobs.is_any_waiting()
    first, clip, second = new(jobs), new(jobs, kind="clip"), new(jobs)
    assert jobs.is_any_waiting()
    assert [job.id for job in jobs.claim(["track"], 1)] == [first.id]
    claimed = jobs.claim(["track"], 5)
    assert [job.id for job in claimed] == [second.id]
    assert claimed[0].state is JobState.RUNNING
    assert claimed[0].started_utc_s is not None
    assert jobs.get(clip.id).state is JobState.QUEUED


def test_no_job_is_claimed_twice(jobs):
    made = {new(jobs).id for _ in range(30)}
    claimed, start = [], threading.Barrier(4)

    def claim():
        start.wait(10)
        while some := jobs.claim(["track"], 3):
            claimed.extend(job.id for job in some)

    claimers = [threading.Thread(target=claim) for _ in range(4)]
    for claimer in claimers:
        claimer.start()
    for claimer in claimers:
        claimer.join(30)
    claimed += [job.id for job in jobs.claim(["track"], 30)]  # a round that won nothing may have left some
    assert sorted(claimed) == sorted(made)


@pytest.mark.parametrize("state", [JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED])
def test_what_has_ended_goes_nowhere_by_itself(jobs, state):
    job = ended(jobs, state)
    assert job.finished_utc_s is not None
    with pytest.raises(ConflictError, match=f"is {state} and cannot become running"):
        jobs.move(job.id, JobState.RUNNING)


def test_the_end_of_an_earlier_attempt_does_not_end_the_next(jobs):
    job = ended(jobs, JobState.FAILED, error="no disk")
    jobs.retry(job.id)
    with pytest.raises(ConflictError):
        jobs.move(job.id, JobState.FAILED, attempt=1, error="late")
    assert jobs.is_to_end(job.id, 1)
    assert not jobs.is_to_end(job.id, 2)


def test_another_attempt_begins_with_a_clean_row(jobs):
    job = ended(jobs, JobState.FAILED, error="no disk", progress=0.5)
    again = jobs.retry(job.id)
    assert (again.state, again.attempt, again.error, again.progress) == (JobState.QUEUED, 2, None, None)
    assert (again.started_utc_s, again.finished_utc_s, again.is_cancel_asked) == (None, None, False)
    assert again.created_utc_s == job.created_utc_s


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.COMPLETED])
def test_only_what_failed_or_was_cancelled_is_tried_again(jobs, state):
    job = new(jobs) if state is JobState.QUEUED else ended(jobs, state)
    with pytest.raises(ConflictError, match="only failed and cancelled"):
        jobs.retry(job.id)


def test_progress_is_noted_while_it_runs_and_never_after(jobs):
    job = new(jobs)
    jobs.move(job.id, JobState.RUNNING)
    assert not jobs.report(job.id, 1, "tracking (5 of 10)", 0.5)
    assert (jobs.get(job.id).step, jobs.get(job.id).progress) == ("tracking (5 of 10)", 0.5)
    jobs.move(job.id, JobState.COMPLETED, step="done", result={"n": 1})
    assert jobs.report(job.id, 1, "tracking (6 of 10)", 0.6)
    assert (jobs.get(job.id).step, jobs.get(job.id).result) == ("done", {"n": 1})


def test_a_cancel_ends_what_waits_at_once_and_asks_what_runs(jobs):
    waiting, running = new(jobs), new(jobs)
    jobs.move(running.id, JobState.RUNNING)
    assert jobs.ask_cancel(waiting.id).state is JobState.CANCELLED
    assert jobs.ask_cancel(running.id).state is JobState.RUNNING
    assert jobs.report(running.id, 1, "tracking", 0.1)
    jobs.move(running.id, JobState.CANCELLED)
    assert jobs.ask_cancel(running.id).state is JobState.CANCELLED  # twice is once


def test_what_is_done_cannot_be_cancelled(jobs):
    job = ended(jobs, JobState.COMPLETED)
    with pytest.raises(ConflictError, match="has ended"):
        jobs.ask_cancel(job.id)
    with pytest.raises(UnknownError):
        jobs.ask_cancel("ab")


def test_only_what_has_ended_is_forgotten(jobs):
    job, done = new(jobs), ended(jobs, JobState.COMPLETED)
    with pytest.raises(ConflictError, match="cancel it first"):
        jobs.delete(job.id)
    jobs.delete(done.id)
    with pytest.raises(UnknownError):
        jobs.get(done.id)
    with pytest.raises(UnknownError):
        jobs.delete(done.id)


def test_old_jobs_are_forgotten_and_young_and_open_ones_are_not(jobs):
    old = ended(jobs, JobState.FAILED, finished_utc_s=1000.0)
    young, still = ended(jobs, JobState.FAILED), new(jobs)
    assert jobs.forget_ended(2000.0) == 1
    assert {job.id for job in jobs.page()} == {young.id, still.id}
    assert jobs.standing(old.id) == (None, 0.0)
    assert jobs.standing(still.id) == (JobState.QUEUED, 0.0)
    assert jobs.standing(young.id) == (JobState.FAILED, young.finished_utc_s)


def test_what_runs_and_tells_nothing_stands_out(jobs):
    job = new(jobs)
    jobs.move(job.id, JobState.RUNNING)
    assert not jobs.stalled(since_s=60.0)
    assert [stalled.id for stalled in jobs.stalled(since_s=-1.0)] == [job.id]


def test_changes_come_in_their_order(jobs):
    first, second = new(jobs), new(jobs)
    since = second.updated_utc_s
    jobs.move(first.id, JobState.RUNNING)
    assert [job.id for job in jobs.changed_since(since)] == [second.id, first.id]
