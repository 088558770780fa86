"""Cameras, and who is at them."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sightline.errors import UnknownError
from sightline.model.decoding import CameraRecord, DecodingState
from sightline.stores.sql.cameras import Cameras


@pytest.fixture
def cameras(engine):
    return Cameras(engine)


def camera(name="yard", **more):
    given = {"source": "rtsp://u:p@h/s", "shown": "rtsp://h/s", "is_live": True, "fps": 2.5, "force_format": None}
    state = {"is_wanted": False, "generation": 0, "state": DecodingState.STOPPED}
    return CameraRecord(camera_id=name, **(given | state | more))


def test_a_started_camera_is_wanted_and_running(cameras):
    started = cameras.start(camera())
    assert (started.is_wanted, started.generation, started.state) == (True, 1, DecodingState.RUNNING)
    assert (started.source, started.fps, started.restart_count) == ("rtsp://u:p@h/s", 2.5, 0)
    assert started.started_utc_s == pytest.approx(time.time(), abs=30.0)
    assert cameras.get("yard") == started
    assert cameras.all() == [started]
    assert cameras.n_running() == 1


def test_a_running_camera_is_not_started_again(cameras):
    started = cameras.start(camera())
    assert cameras.start(camera(fps=9.0)) is None
    assert cameras.get("yard") == started


def test_of_many_who_start_one_camera_one_does(cameras):
    with ThreadPoolExecutor(6) as pool:
        started = list(pool.map(lambda _: cameras.start(camera()), range(6)))
    assert [one.generation for one in started if one is not None] == [1]


def test_a_stopped_camera_starts_as_a_new_generation(cameras):
    cameras.start(camera())
    assert cameras.stop("yard").state is DecodingState.STOPPED
    assert cameras.n_running() == 0
    again = cameras.start(camera(fps=9.0))
    assert (again.generation, again.fps, again.restart_count) == (2, 9.0, 0)


def test_what_was_never_started_is_unknown(cameras):
    assert cameras.get("yard") is None
    with pytest.raises(UnknownError, match="No decode task found for this camera"):
        cameras.stop("yard")


def test_reports_count_for_the_generation_they_are_of(cameras):
    first = cameras.start(camera())
    assert cameras.report(first, n_written=7, last_number=7)
    assert cameras.get("yard").n_written == 7
    cameras.stop("yard")
    assert not cameras.report(first, n_written=8)
    second = cameras.start(camera())
    assert not cameras.report(first, state=DecodingState.ERROR)
    assert cameras.get("yard") == second


def test_a_camera_has_one_holder_until_its_lease_runs_out(cameras):
    cameras.start(camera())
    assert [one.holder for one in cameras.claim("one", 60.0)] == ["one"]
    assert cameras.claim("two", 60.0) == []
    assert len(cameras.claim("one", 0.0)) == 1  # renewed, and over at once
    time.sleep(0.01)
    assert [one.holder for one in cameras.claim("two", 60.0)] == ["two"]
    assert cameras.claim("one", 60.0) == []


def test_of_workers_that_claim_at_once_one_gets_a_camera(cameras):
    for number in range(8):
        cameras.start(camera(f"c{number}"))
    with ThreadPoolExecutor(4) as pool:
        held = list(pool.map(lambda name: cameras.claim(name, 60.0), ["a", "b", "c", "d"]))
    assert sorted(one.camera_id for some in held for one in some) == [f"c{number}" for number in range(8)]


def test_a_stopped_camera_stays_with_its_holder_until_that_lets_go(cameras):
    cameras.start(camera())
    cameras.claim("one", 60.0)
    cameras.stop("yard")
    assert [one.is_wanted for one in cameras.claim("one", 60.0)] == [False]
    cameras.start(camera())
    assert cameras.claim("two", 60.0) == []  # the first may still be writing
    cameras.release("yard", "two")  # not theirs to let go of
    assert cameras.claim("two", 60.0) == []
    cameras.release("yard", "one")
    assert len(cameras.claim("two", 60.0)) == 1


def test_only_cameras_that_are_not_wanted_are_forgotten(cameras):
    cameras.start(camera())
    cameras.forget("yard")
    assert cameras.get("yard") is not None
    cameras.stop("yard")
    cameras.forget("yard")
    assert cameras.get("yard") is None


def test_everything_of_a_camera_is_kept(cameras):
    given = camera(force_format="cuda", is_live=False, source="artifact:" + "a" * 64)
    started = cameras.start(given)
    changes = {"n_written": 1 << 40, "last_written_utc_s": 1.5, "last_error": "ä\n", "restart_count": 3}
    assert cameras.report(started, **changes)
    kept = cameras.get("yard")
    assert replace(kept, updated_utc_s=0.0) == replace(started, **changes, updated_utc_s=0.0)
