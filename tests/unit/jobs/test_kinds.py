"""Kinds of jobs: what they take, and what comes of a real video."""

import io
import zipfile

import av
import numpy as np
import pytest

from sightline.errors import ConflictError, OptionError, SourceError, UnknownError
from sightline.jobs import kinds
from sightline.jobs.kinds import Task
from sightline.jobs.kinds.clip import clip
from sightline.jobs.kinds.snapshot import snapshot
from sightline.jobs.slot import dead_slots, take_slot
from sightline.jobs.worker import _plain
from sightline.model.artifact import Artifact
from sightline.model.job import JobState
from sightline.settings import load
from sightline.stores.artifacts import artifacts_at
from sightline.stores.sql.artifacts import ArtifactRecords


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Ten seconds at 10 per second with B-frames, a keyframe each second, and something that moves."""
    path = tmp_path_factory.mktemp("film") / "yard.mp4"
    ground = np.full((240, 320, 3), 90, np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"g": "10", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(100):
            picture = ground.copy()
            picture[100:140, 2 * number : 2 * number + 30] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def task(film, tmp_path):
    """Makes what a step is told."""
    settings = _plain(load(None, data_folder=tmp_path / "data", fetching={"media_folders": str(film.parent)}))

    def make(**params):
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        return Task(job_id="1", params={"source": str(film), **params}, folder=folder, settings=settings)

    return make


def never():
    return False


def quiet(*_):
    pass


def bytes_of(task, outcome):
    file = outcome["artifacts"][0]
    return b"".join(artifacts_at(task.settings.artifacts_url()).open(file["key"], 0, file["n_bytes"]))


def times_in(data):
    with av.open(io.BytesIO(data)) as container:
        return [round(float(frame.time), 3) for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("kind", "params", "says"),
    [
        ("dance", {}, "no job 'dance'; there are: track, extract, clip, "),
        ("track", {}, "track: source: field required"),
        ("track", {"source": "a", "colour": 1}, "track: colour: extra inputs"),
        ("track", {"source": "a", "detector": "eyes"}, "no detector 'eyes'"),
        ("track", {"source": "a", "detector": "mot_file"}, "no detector 'mot_file'"),
        ("track", {"source": "a", "batch": 0}, "track: batch: "),
        ("track", {"source": "a", "options": {"detector": {"weights": "/etc/passwd"}}}, "paths are not taken"),
        ("track", {"source": "a", "options": {"source": {"path": "b"}}}, "options.source.path"),
        ("clip", {"source": "a", "name": "../x.mp4"}, "clip: name: "),
        ("snapshot", {"source": "a", "t_s": "secret"}, "snapshot: t_s: "),
    ],
)
def test_what_makes_no_sense_is_refused_and_named(kind, params, says):
    with pytest.raises(OptionError, match=says) as caught:
        kinds.kind(kind).checked(params)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", list(kinds.KINDS))
def test_every_kind_says_what_it_takes_in_words(name):
    kind = kinds.kind(name)
    assert kind.name == name
    assert all(field.get("description") for field in kind.schema()["properties"].values())
    steps = kind.steps_for({})
    assert len({step.name for step in steps}) == len(steps)


def test_a_snapshot_is_the_first_picture_at_its_time(task):
    at = task(t_s=2.05)
    outcome = snapshot(at, quiet, never)
    assert outcome["summary"] == {"t_s": pytest.approx(2.1), "width": 320, "height": 240}
    assert bytes_of(at, outcome)[:3] == b"\xff\xd8\xff"


def test_behind_the_end_there_is_no_picture(task):
    with pytest.raises(SourceError, match="no picture at or after 60"):
        snapshot(task(t_s=60.0), quiet, never)


def test_a_clip_begins_at_the_keyframe_before_and_says_so(task):
    at = task(start_s=3.5, duration_s=2.0)
    outcome = clip(at, quiet, never)
    assert outcome["summary"]["start_s"] == pytest.approx(3.0)
    times = times_in(bytes_of(at, outcome))
    assert times[0] == 0.0
    assert times == sorted(times)
    assert 24 <= len(times) <= 28  # to 5.5 s, and what the order of B-frames brings along


def test_a_clip_of_all_is_all_of_it(task):
    at = task(duration_s=3600.0)
    outcome = clip(at, quiet, never)
    assert times_in(bytes_of(at, outcome)) == [round(number / 10, 3) for number in range(100)]


def test_behind_the_end_there_is_nothing_to_copy(task):
    with pytest.raises(SourceError, match="nothing to copy at 99 s"):
        clip(task(start_s=99.0, duration_s=1.0), quiet, never)


def test_files_of_other_folders_are_not_read(task, tmp_path):
    other = task()
    (tmp_path / "own.mp4").write_bytes(b"x")
    with pytest.raises(PermissionError, match="media_folders"):
        snapshot(Task(**{**{n: getattr(other, n) for n in other.__slots__}, "params": {"source": "/etc/passwd"}}),
                 quiet, never)  # fmt: skip


def test_a_video_is_tracked_and_its_pictures_taken_by_a_worker(installation, film):
    stored = artifacts_at(installation.settings.artifacts_url()).put(film)
    files = ArtifactRecords(installation.desk._jobs._engine)
    upload = files.add(
        Artifact(id="ab" * 16, key=stored.key, name="yard.mp4", media_type="video/mp4", n_bytes=1, owner="ann")
    )
    track = installation.desk.submit("track", {"source": f"artifact:{upload.id}", "formats": ["csv"]}, "ann")
    extract = installation.desk.submit("extract", {"source": f"artifact:{stored.key}", "fps": 2.0}, "ann")
    missing = installation.desk.submit("extract", {"source": "artifact:" + "cd" * 16}, "ann")
    installation.start()
    tracked = installation.desk.wait(track.id, 60.0)
    assert (tracked.state, tracked.error) == (JobState.COMPLETED, None)
    assert tracked.result["summary"]["frames"] == 100
    assert tracked.result["summary"]["camera"] == "yard"
    names = [file["name"] for file in tracked.result["artifacts"]]
    assert names == ["tracks.csv", "annotated.mp4", "run.json"]
    assert {file.name for file in files.page(job_id=track.id)} == set(names)
    run = next(file for file in files.page(job_id=track.id) if file.name == "run.json")
    store = artifacts_at(installation.settings.artifacts_url())
    assert str(installation.folder) not in b"".join(store.open(run.key, 0, run.n_bytes)).decode()
    taken = installation.desk.wait(extract.id, 60.0)
    assert taken.result["summary"]["pictures"] == 20
    archive = files.page(job_id=extract.id)[0]
    with zipfile.ZipFile(io.BytesIO(b"".join(store.open(archive.key, 0, archive.n_bytes)))) as held:
        assert held.testzip() is None
        assert len(held.namelist()) == 21
        assert held.read("frames.csv").decode().splitlines()[2] == "frame_0002.jpg,0.500000"
    failed = installation.desk.wait(missing.id, 60.0)
    assert (failed.state, failed.error) == (JobState.FAILED, f"no artifact '{'cd' * 16}'")


def test_a_desk_knows_what_it_may_do(installation):
    desk = installation.desk
    job = installation.submit("quick")
    assert desk.wait(job.id, 0.0).state is JobState.QUEUED
    with pytest.raises(ConflictError):
        desk.retry(job.id)
    with pytest.raises(UnknownError):
        desk.cancel("nothing")
    assert {"track", "extract", "clip", "snapshot", "quick"} <= set(desk.kinds())


def test_slots_are_taken_by_one_each_and_known_again(tmp_path):
    first, second = take_slot(tmp_path, "a b/c"), take_slot(tmp_path, "a b/c")
    assert (first.name, second.name) == ("a-b-c-1", "a-b-c-2")
    with dead_slots(tmp_path) as dead:
        assert not dead
    first.free()
    with dead_slots(tmp_path) as dead:
        assert dead == ["a-b-c-1"]
        third = take_slot(tmp_path, "a b/c")  # the dead one is being looked after
        assert third.name == "a-b-c-3"
    with dead_slots(tmp_path) as dead:
        assert not dead
    again = take_slot(tmp_path, "a b/c")
    assert again.name == "a-b-c-1"
    for slot in (second, third, again):
        slot.free()
