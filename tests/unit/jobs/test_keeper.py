"""Cameras kept going by a worker: begun, ended, begun anew, and going on after whatever was killed."""

import json
import os
import signal
import socket
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from sightline import settings as all_settings
from sightline.formats.jpeg import comment_of
from sightline.jobs.cameras.keeper import Keeper
from sightline.jobs.worker import _plain
from sightline.model.decoding import CameraRecord, DecodingState
from sightline.stores.artifacts import artifacts_at
from sightline.stores.sql.cameras import Cameras
from sightline.stores.sql.database import database_at

N_PICTURES = 400


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A film of pictures that take a while to decode."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for number in range(N_PICTURES):
            picture = av.VideoFrame.from_ndarray(np.roll(noise, number, axis=1), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


class Site:
    """Cameras, and a keeper that comes and goes."""

    def __init__(self, folder, **more):
        self.settings = _plain(all_settings.load(None, data_folder=folder, **more))
        self.engine = database_at(self.settings.database_url())
        self.cameras = Cameras(self.engine)
        self.stop = threading.Event()
        self.thread = None

    def keep(self, holder="one"):
        self.stop.clear()
        self.keeper = Keeper(self.settings, self.engine, holder)
        self.thread = threading.Thread(target=self.keeper.run, args=(self.stop.is_set,))
        self.thread.start()

    def let_go(self):
        self.stop.set()
        if self.thread is not None:
            self.thread.join()

    def start(self, source, camera_id="gate", *, fps=25.0, is_live=False):
        return self.cameras.start(
            CameraRecord(
                camera_id=camera_id,
                source=source,
                shown="film.mp4",
                is_live=is_live,
                fps=fps,
                force_format=None,
                is_wanted=True,
                generation=0,
                state=DecodingState.RUNNING,
            )
        )

    def kept(self, film):
        return f"artifact:{artifacts_at(self.settings.artifacts_url()).put(film).key}"

    def pictures(self, camera_id="gate"):
        return sorted((self.settings.frames_folder() / camera_id).glob("*.jpg"))

    def has_ended(self, camera_id="gate"):
        record = self.cameras.get(camera_id)
        return record if record.holder is None and record.state is not DecodingState.RUNNING else None


@pytest.fixture
def site_at(tmp_path):
    made = []

    def make(**more):
        made.append(Site(tmp_path / "data", **more))
        return made[-1]

    yield make
    for site in made:
        site.let_go()
        site.engine.dispose()


@pytest.fixture
def yard(site_at):
    return site_at()


def places(pictures):
    return [json.loads(comment_of(picture.read_bytes()))["index"] for picture in pictures]


def test_a_file_is_decoded_to_its_end_and_let_go(yard, film, wait_until):
    yard.start(yard.kept(film), fps=5.0)
    yard.keep()
    record = wait_until(yard.has_ended)
    assert (record.state, record.last_error, record.restart_count) == (DecodingState.COMPLETED, None, 0)
    assert record.n_written == record.last_number == len(yard.pictures()) == N_PICTURES // 5
    assert record.last_written_utc_s == pytest.approx(time.time(), abs=60)
    assert places(yard.pictures()) == list(range(0, N_PICTURES, 5))


def test_a_stopped_camera_is_let_go_soon_and_writes_no_more(yard, film, wait_until):
    yard.start(yard.kept(film))
    yard.keep()
    wait_until(yard.pictures)
    stopped_s = time.monotonic()
    yard.cameras.stop("gate")
    assert wait_until(yard.has_ended).state is DecodingState.STOPPED
    assert time.monotonic() - stopped_s < 6.0
    n = len(yard.pictures())
    assert 0 < n < N_PICTURES
    assert not yard.keeper._decoders


def test_a_camera_started_anew_goes_on_counting_and_begins_its_file_again(yard, film, wait_until):
    source = yard.kept(film)
    yard.start(source)
    yard.keep()
    wait_until(yard.pictures)
    yard.cameras.stop("gate")
    wait_until(yard.has_ended)
    before = yard.pictures()
    again = yard.start(source, fps=5.0)
    record = wait_until(yard.has_ended)
    assert (again.generation, record.state) == (2, DecodingState.COMPLETED)
    assert record.n_written == N_PICTURES // 5
    assert record.last_number == len(before) + N_PICTURES // 5
    assert places(yard.pictures()[len(before) :]) == list(range(0, N_PICTURES, 5))


def test_a_decoder_that_is_killed_goes_on_where_it_was(yard, film, wait_until):
    yard.start(yard.kept(film))
    yard.keep()
    wait_until(lambda: len(yard.pictures()) > 20)
    yard.keeper._decoders["gate"].process.kill()
    record = wait_until(yard.has_ended)
    assert (record.state, record.restart_count) == (DecodingState.COMPLETED, 1)
    assert record.last_error == "the decoder ended by SIGKILL"
    assert places(yard.pictures()) == list(range(N_PICTURES))


def test_another_keeper_goes_on_where_one_let_go(yard, film, wait_until):
    yard.start(yard.kept(film))
    yard.keep()
    wait_until(yard.pictures)
    yard.let_go()
    record = yard.cameras.get("gate")
    assert (record.state, record.holder) == (DecodingState.RUNNING, None)
    yard.keep(holder="two")
    assert wait_until(yard.has_ended).state is DecodingState.COMPLETED
    assert places(yard.pictures()) == list(range(N_PICTURES))


def test_what_is_not_there_is_an_error_in_one_line(yard, wait_until):
    yard.start(f"artifact:{'0' * 64}")
    yard.start("/etc/hostname", "door")
    yard.keep()
    assert "no artifact" in wait_until(yard.has_ended).last_error
    refused = wait_until(lambda: yard.has_ended("door"))
    assert refused.state is DecodingState.ERROR
    assert "media_folders" in refused.last_error


def test_a_stream_that_nobody_sends_is_asked_for_again_and_again(site_at, wait_until):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    yard = site_at(fetching={"private_networks": "127.0.0.0/8"})
    yard.start(f"rtsp://ann:secret@127.0.0.1:{port}/cam", is_live=True)
    yard.keep()
    record = wait_until(lambda: (now := yard.cameras.get("gate")).restart_count > 1 and now)
    assert record.state is DecodingState.RUNNING
    assert record.last_error
    assert "secret" not in record.last_error


def test_a_killed_worker_goes_on_with_its_files(installation, film, wait_until):
    installation.settings.data_folder.mkdir(exist_ok=True)
    cameras = Cameras(installation.desk._jobs._engine)
    yard = Site(installation.settings.data_folder)
    try:
        yard.start(yard.kept(film))
        worker = installation.start()
        wait_until(lambda: len(yard.pictures()) > 20)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        installation.start()
        assert wait_until(yard.has_ended).state is DecodingState.COMPLETED
        assert places(yard.pictures()) == list(range(N_PICTURES))
        assert cameras.get("gate").n_written == N_PICTURES
    finally:
        yard.engine.dispose()
