"""How a site is played: what happens between two moments, whatever somebody wants and whoever is killed."""

import threading
import time
import uuid

import pytest

from sightline.jobs.sites.playing import Playing
from sightline.model.job import Job
from sightline.stores.sql.database import database_at
from sightline.stores.sql.jobs import Jobs
from sightline.stores.sql.playbacks import Playbacks


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = database_at(f"sqlite:///{tmp_path_factory.mktemp('rows') / 'rows.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def playbacks(engine):
    return Playbacks(engine)


@pytest.fixture
def task(engine):
    return Jobs(engine).add(Job(id=uuid.uuid4().hex, kind="site")).id


def never():
    return False


def nothing():
    """What is done while it stands still."""


def playing(playbacks, task, stopped=never, **more):
    return Playing(stopped, fps=10.0, playbacks=playbacks, job_id=task, **more)


def played(play, first, last):
    """Where it goes, from ``first`` on: every moment that is shown until ``last``; again those that are repeated."""
    shown, at = [], first
    while at <= last:
        shown.append(at)
        goal = play.after(at, nothing, again=at < play.edge)
        at = at + 1 if goal is None else goal
    return shown


def test_nobody_steers_and_it_plays_to_the_end():
    play = Playing(never, fps=10.0)
    assert play.begin(10, nothing) == 0
    assert played(play, 0, 9) == list(range(10))


def test_a_moment_ahead_is_jumped_to_and_the_gap_is_kept(playbacks, task):
    play = playing(playbacks, task)
    play.begin(100, nothing)
    play.after(0, nothing)
    playbacks.seek(task, 40)
    play._look()
    assert play.after(1, nothing) == 40
    assert play.after(40, nothing) is None
    row = playbacks.get(task)
    assert (row.passed, row.n_done, row.total) == ([[2, 40]], 1, 100)


def test_a_moment_that_was_watched_is_shown_again_and_leaves_no_gap(playbacks, task):
    play = playing(playbacks, task, speed=100.0)
    play.begin(100, nothing)
    played(play, 0, 20)
    playbacks.seek(task, 5)
    play._look()
    assert play.after(21, nothing) == 5
    assert play.edge == 22
    assert play.after(5, nothing, again=True) is None
    assert play.edge == 22
    assert not playbacks.get(task).passed


def test_after_a_crash_the_same_is_passed_over(playbacks, task):
    before = playing(playbacks, task)
    before.begin(100, nothing)
    playbacks.seek(task, 40)
    before._look()
    assert before.after(1, nothing) == 40
    assert played(playing(playbacks, task), 0, 42) == [0, 1, 40, 41, 42]


def test_what_was_to_be_shown_again_at_a_crash_is_not_jumped_to_after_it(playbacks, task):
    before = playing(playbacks, task)
    played(before, 0, 20)
    playbacks.note(task, edge=21)
    playbacks.seek(task, 15)
    after = playing(playbacks, task)
    assert after.begin(100, nothing) == 0
    assert played(after, 0, 25) == list(range(26))
    assert not playbacks.get(task).passed


def test_a_paused_task_comes_back_to_where_it_was_and_stands_still_there(playbacks, task):
    playbacks.note(task, edge=8)
    playbacks.pause(task, is_paused=True)
    rests = []

    def rest():
        rests.append(playbacks.get(task).last)
        playbacks.pause(task, is_paused=False)

    after = playing(playbacks, task)
    assert after.begin(100, rest) == 0
    assert [after.after(at, rest) for at in range(10)] == [None] * 10
    assert rests == [7]


def test_it_stands_still_until_it_is_resumed_or_stopped(playbacks, task):
    stop = threading.Event()
    play = playing(playbacks, task, stop.is_set)
    playbacks.pause(task, is_paused=True)
    play._look()
    threading.Timer(0.3, playbacks.pause, [task], {"is_paused": False}).start()
    began = time.monotonic()
    assert play.after(0, nothing) is None
    assert 0.2 < time.monotonic() - began < 10
    playbacks.pause(task, is_paused=True)
    play._look()
    assert play.after(1, stop.set) is None


def test_where_somebody_jumped_to_is_shown_although_it_is_paused(playbacks, task):
    """Also where that lies in the next sub-video, which another process watches."""
    play = playing(playbacks, task)
    play.begin(100, nothing)
    playbacks.pause(task, is_paused=True)
    playbacks.seek(task, 60)
    play._look()
    assert play.after(0, nothing) == 60
    assert playing(playbacks, task, edge=50).begin(100, pytest.fail) == 60


def test_it_is_no_faster_than_asked_for(playbacks, task):
    play = playing(playbacks, task, speed=2.0)
    began = time.monotonic()
    played(play, 0, 9)
    assert time.monotonic() - began >= 0.45


def test_pictures_are_wanted_for_a_while(playbacks, task):
    playbacks.want(task, {"gate": time.time() + 60, "door": time.time() - 1})
    assert set(playing(playbacks, task).wanted) == {"gate"}
