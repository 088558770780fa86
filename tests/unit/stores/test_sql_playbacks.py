"""How tasks are played, on both databases."""

import time

import pytest
from sqlalchemy import text

from sightline.errors import UnknownError
from sightline.model.job import Job, JobState
from sightline.model.playback import Playback
from sightline.stores.sql.jobs import Jobs
from sightline.stores.sql.playbacks import Playbacks

TASK = "1" * 32


@pytest.fixture
def playbacks(engine):
    Jobs(engine).add(Job(id=TASK, kind="site"))
    return Playbacks(engine)


def test_a_task_that_nobody_touched_plays_from_its_beginning(playbacks):
    assert playbacks.get(TASK) == Playback(job_id=TASK)


def test_it_is_paused_once_and_resumed_once(playbacks):
    paused = playbacks.pause(TASK, is_paused=True)
    assert paused.is_paused
    assert playbacks.pause(TASK, is_paused=True).changed_utc_s == paused.changed_utc_s
    resumed = playbacks.pause(TASK, is_paused=False)
    assert not resumed.is_paused
    assert resumed.changed_utc_s > paused.changed_utc_s


def test_it_rests_once_it_is_paused_for_long_and_does_nothing(playbacks, engine):
    jobs = Jobs(engine)
    jobs.move(TASK, JobState.RUNNING)
    playbacks.pause(TASK, is_paused=True)
    assert playbacks.resting(for_s=-1.0) == [TASK]
    assert playbacks.resting(for_s=60.0) == []
    with engine.begin() as connection:
        connection.execute(text("UPDATE playback SET changed_utc_s = 0"))
    assert playbacks.resting(for_s=60.0) == []  # it comes to where it is to stand still yet
    with engine.begin() as connection:
        connection.execute(text("UPDATE jobs SET updated_utc_s = 0"))
    assert playbacks.resting(for_s=60.0) == [TASK]
    playbacks.pause(TASK, is_paused=False)
    assert playbacks.resting(for_s=-1.0) == []


def test_every_wish_for_a_moment_is_counted(playbacks):
    playbacks.seek(TASK, 40)
    asked = playbacks.seek(TASK, 7)
    assert (asked.goal, asked.n_asked, asked.n_done) == (7, 2, 0)
    playbacks.note(TASK, n_done=2, last=7, edge=8, total=100, passed=[[1, 7]])
    done = playbacks.get(TASK)
    assert (done.n_done, done.last, done.edge, done.total, done.passed) == (2, 7, 8, 100, [[1, 7]])
    assert done.goal == 7


def test_pictures_are_wanted_until_their_time(playbacks):
    now = time.time()
    playbacks.want(TASK, {"gate": now - 1, "door": now + 60})
    playbacks.want(TASK, {"yard": now + 60, "door": now + 30})
    assert playbacks.get(TASK).wanted == {"door": now + 60, "yard": now + 60}


def test_it_goes_with_its_job(playbacks, engine):
    playbacks.pause(TASK, is_paused=True)
    Jobs(engine).move(TASK, JobState.CANCELLED)
    Jobs(engine).delete(TASK)
    assert playbacks.get(TASK) == Playback(job_id=TASK)


def test_what_is_no_task_has_no_playback(playbacks):
    for act in (lambda: playbacks.pause("2" * 32, is_paused=True), lambda: playbacks.seek("2" * 32, 3)):
        with pytest.raises(UnknownError):
            act()
