"""Jobs done by a real worker: beginning, ending, failing, trying again, and being killed on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sightline.model.job import OPEN, JobState

LINES = [f"line{number}" for number in range(5)]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_job_is_done_step_by_step_and_leaves_nothing_lying_about(installation):
    job = installation.submit("lines", pace_s=0.0)
    installation.start()
    done = installation.desk.wait(job.id, 60.0)
    assert (done.state, done.step, done.progress, done.error) == (JobState.COMPLETED, "done", 1.0, None)
    assert installation.lines() == LINES
    assert done.result["before"] == LINES[:4]
    assert not list((installation.folder / "data" / "work").iterdir())


def test_a_job_that_fails_says_why_and_the_next_attempt_does_not_redo_what_was_done(installation):
    installation.start()
    job = installation.submit("flaky", pace_s=0.0)
    failed = installation.desk.wait(job.id, 60.0)
    assert (failed.state, failed.error) == (JobState.FAILED, "cam: nobody there")
    (installation.folder / "lines.good").touch()
    installation.desk.retry(job.id)
    done = installation.desk.wait(job.id, 60.0)
    assert (done.state, done.attempt, done.error) == (JobState.COMPLETED, 2, None)
    assert installation.lines() == ["line0", "line2"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("slip", "a fault of ours: ZeroDivisionError: by zero"),
        ("vanish", "the process that did the work was ended by SIGKILL; was there enough memory?"),
    ],
)
def test_what_nobody_foresaw_is_one_line_and_the_worker_goes_on(installation, kind, why):
    installation.start()
    failed = installation.desk.wait(installation.submit(kind).id, 60.0)
    assert (failed.state, failed.error) == (JobState.FAILED, why)
    assert installation.desk.wait(installation.submit("quick").id, 60.0).state is JobState.COMPLETED


def test_a_cancel_ends_even_deaf_work_soon(installation, wait_until):
    installation.start()
    job = installation.submit("deaf")
    pids = wait_until(installation.lines)
    asked_s = time.monotonic()
    installation.desk.cancel(job.id)
    assert installation.desk.wait(job.id, 10.0).state is JobState.CANCELLED
    assert time.monotonic() - asked_s < 4.0  # the bar is 2 s, held by the benchmark on a machine of its own
    wait_until(lambda: not any(map(is_running, pids)))
    again = installation.desk.retry(job.id)
    assert (again.state, again.attempt) == (JobState.QUEUED, 2)


def test_a_job_in_the_queue_is_cancelled_without_a_worker(installation):
    job = installation.submit("lines")
    assert installation.desk.cancel(job.id).state is JobState.CANCELLED
    installation.start()
    assert installation.desk.wait(installation.submit("quick").id, 60.0).state is JobState.COMPLETED
    assert installation.lines() == ["line0"]


def test_heavy_jobs_wait_for_each_other_and_never_hold_up_light_ones(installation, wait_until):
    installation.start(SIGHTLINE_JOBS__HEAVY="1")
    heavy = [installation.submit("lines", pace_s=10.0) for _ in range(3)]
    wait_until(lambda: installation.jobs.get(heavy[0].id).state is JobState.RUNNING)
    light = installation.submit("quick", pace_s=0.0)
    assert installation.desk.wait(light.id, 60.0).state is JobState.COMPLETED
    states = [installation.jobs.get(job.id).state for job in heavy]
    assert states == [JobState.RUNNING, JobState.QUEUED, JobState.QUEUED]
    for job in heavy:
        installation.desk.cancel(job.id)


def test_a_killed_worker_loses_nothing_and_redoes_nothing(installation, wait_until):
    worker = installation.start()
    job = installation.submit("lines", pace_s=0.3)
    wait_until(lambda: len(installation.lines()) == 2)
    worker.kill()
    worker.wait()
    assert installation.jobs.get(job.id).state is JobState.RUNNING
    installation.start()
    assert installation.desk.wait(job.id, 60.0).state is JobState.COMPLETED
    assert installation.lines() == LINES


def test_all_processes_killed_at_once_lose_nothing(installation, wait_until):
    worker = installation.start()
    running, waiting = installation.submit("lines", pace_s=0.3), installation.submit("lines", pace_s=0.0)
    wait_until(lambda: installation.jobs.get(running.id).progress)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    installation.start()
    for job in (running, waiting):
        assert installation.desk.wait(job.id, 60.0).state is JobState.COMPLETED
    assert sorted(installation.lines()) == sorted(2 * LINES)


def test_a_worker_told_to_end_puts_work_down_and_the_next_one_takes_it_up(installation, wait_until):
    worker = installation.start()
    job = installation.submit("lines", pace_s=0.5)
    wait_until(lambda: len(installation.lines()) == 1)
    told_s = time.monotonic()
    os.killpg(worker.pid, signal.SIGTERM)  # as those do who end a service: all of its processes hear it
    assert worker.wait(20) == 0
    assert time.monotonic() - told_s < 15.0
    assert installation.jobs.get(job.id).state is JobState.RUNNING
    installation.start()
    assert installation.desk.wait(job.id, 60.0).state is JobState.COMPLETED
    assert installation.lines() == LINES


def test_another_worker_takes_over_from_one_that_was_killed(installation, wait_until):
    doomed = installation.start()
    job = installation.submit("lines", pace_s=0.3)
    wait_until(lambda: len(installation.lines()) == 1)
    installation.start(name="other")
    doomed.kill()
    doomed.wait()
    assert installation.desk.wait(job.id, 60.0).state is JobState.COMPLETED
    assert installation.lines() == LINES


def test_work_ends_when_the_worker_does(installation, wait_until):
    worker = installation.start()
    installation.submit("deaf")
    pids = wait_until(installation.lines)
    worker.kill()
    worker.wait()
    wait_until(lambda: not any(map(is_running, pids)), 5.0)


def test_two_workers_share_the_work(installation):
    for _ in range(2):
        installation.start()
    jobs = [installation.submit("quick", pace_s=0.05) for _ in range(8)]
    assert all(installation.desk.wait(job.id, 60.0).state is JobState.COMPLETED for job in jobs)
    assert installation.lines() == 8 * ["line0"]


def test_a_worker_on_postgresql_does_the_same(installation_at, postgres_url, wait_until):
    installation = installation_at(postgres_url)
    worker = installation.start()
    job = installation.submit("lines", pace_s=0.2)
    wait_until(lambda: len(installation.lines()) == 2)
    worker.kill()
    worker.wait()
    assert installation.jobs.get(job.id).state in OPEN
    installation.start()
    assert installation.desk.wait(job.id, 60.0).state is JobState.COMPLETED
    assert installation.lines() == LINES


def test_a_worker_of_a_server_ends_when_the_server_is_gone(installation, wait_until):
    command = [sys.executable, "-m", "sightline", "worker", "--data", str(installation.folder / "data")]
    with subprocess.Popen([*command, "--while-stdin-is-open"], stdin=subprocess.PIPE) as worker:
        installation.workers.append(worker)
        assert installation.desk.wait(installation.submit("quick").id, 0.0).state is JobState.QUEUED
        wait_until(lambda: list((installation.folder / "data" / "workers").glob("*.lock")))
        worker.stdin.close()
        assert worker.wait(20) == 1
