"""People are covered in every picture that a job gives out, where the installation or who asks for it wants that."""

import io
import json
import zipfile
from dataclasses import replace

import av
import numpy as np
import pytest
import simplejpeg

from sightline.errors import OptionError
from sightline.formats.picture import decoded
from sightline.jobs.album import Album
from sightline.jobs.kinds import Task
from sightline.jobs.kinds.clip import clip
from sightline.jobs.kinds.extract import extract
from sightline.jobs.kinds.reconstruct import prepare
from sightline.jobs.kinds.snapshot import snapshot
from sightline.jobs.kinds.track import track
from sightline.jobs.worker import _plain
from sightline.server.video_pipeline.veils import Veils
from sightline.settings import load
from sightline.stores.artifacts import artifacts_at

CHECKS = np.where(np.indices((240, 320)).sum(axis=0) // 8 % 2, 230, 30).astype(np.uint8)[:, :, None].repeat(3, 2)
"""A pattern of which nothing is left where it is covered."""
BODY, LEGS, ASIDE = (slice(70, 170), slice(130, 190)), (slice(110, 170), slice(130, 190)), (slice(0, 240), slice(0, 60))
"""Parts of the picture: the network always says that there is one person, at 120..200, 60..180."""


def quiet(*_):
    pass


def never():
    return False


def is_plain(rgb, part):
    """Whether nothing is left of the pattern there."""
    return rgb[part].std() < 30


@pytest.fixture
def finder(network):
    """A network that finds one person in every picture."""
    box = np.array([[[0.5, 0.5, 0.25, 0.5]]], np.float32)
    score = np.array([[[3.0]]], np.float32)
    return network({"dets": box, "labels": score}, metadata={"names": "person"})


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "yard.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"g": "5"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(20):
            picture = CHECKS.copy()
            picture[80:160, 8 * number : 8 * number + 40] = 120
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def task(film, tmp_path, finder):
    """Makes what a step is told; ``bodies`` are covered at least."""

    def make(*, weights=finder, privacy="bodies", **params):
        settings = load(
            None,
            data_folder=tmp_path / "data",
            fetching={"media_folders": str(tmp_path)},
            privacy=privacy,
            privacy_weights=weights,
        )
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        return Task(job_id="1", params={"source": str(film), **params}, folder=folder, settings=_plain(settings))

    return make


def bytes_of(task, outcome):
    store, kept = artifacts_at(task.settings.artifacts_url()), outcome["artifacts"][0]
    return b"".join(store.open(kept["key"], 0, kept["n_bytes"]))


def shown(data):
    """The pictures of a video."""
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_snapshot_shows_nobody(task):
    asked = task()
    rgb = simplejpeg.decode_jpeg(bytes_of(asked, snapshot(asked, quiet, never)))
    assert is_plain(rgb, BODY)
    assert not is_plain(rgb, ASIDE)


def test_who_asks_gets_more_covered_but_never_less(task):
    raised = task(privacy="none", t_s=0.0, name="a.jpg")
    raised = replace(raised, params={**raised.params, "privacy": "faces"})
    rgb = simplejpeg.decode_jpeg(bytes_of(raised, snapshot(raised, quiet, never)))
    assert not is_plain(rgb, LEGS)
    lowered = replace(task(), params={**raised.params, "privacy": "none"})
    assert is_plain(simplejpeg.decode_jpeg(bytes_of(lowered, snapshot(lowered, quiet, never))), LEGS)


@pytest.mark.parametrize("work", [snapshot, clip, extract])
def test_without_a_network_that_finds_people_no_picture_is_given(task, work):
    with pytest.raises(OptionError, match="privacy_weights"):
        work(task(weights=None), quiet, never)


def test_a_clip_is_encoded_again_and_shows_nobody(task):
    asked = task(start_s=0.5, duration_s=0.6)
    outcome = clip(asked, quiet, never)
    pictures = shown(bytes_of(asked, outcome))
    assert len(pictures) == 6
    assert all(is_plain(rgb, BODY) and not is_plain(rgb, ASIDE) for rgb in pictures)
    assert outcome["summary"]["start_s"] == 0.5


def test_pictures_in_an_archive_show_nobody(task):
    asked = task(fps=1.0)
    extract(asked, quiet, never)
    with zipfile.ZipFile(asked.folder / "frames.zip") as held:
        pictures = [simplejpeg.decode_jpeg(held.read(name)) for name in held.namelist() if name.endswith(".jpg")]
    assert len(pictures) == 2
    assert all(is_plain(rgb, BODY) for rgb in pictures)


def test_what_a_scene_is_made_of_shows_nobody(task):
    asked = task(max_pictures=3)
    album = Album.heard(json.loads(json.dumps(prepare(asked, quiet, never))))
    assert all(is_plain(decoded(asked.folder / one.path, one.name), BODY) for one in album.pictures)


def test_an_annotated_video_covers_at_least_what_the_installation_wants(task):
    asked = task(detector="motion", stabilizer=None)
    outcome = track(asked, quiet, never)
    assert "annotated.mp4" in outcome["files"]
    assert json.loads((asked.folder / "run.json").read_text())["privacy"] == "bodies"


def test_the_newest_picture_of_a_camera_shows_nobody(task, tmp_path):
    path = tmp_path / "frame_0001.jpg"
    path.write_bytes(simplejpeg.encode_jpeg(CHECKS, 95))
    veils = Veils(task(privacy="none").settings)
    assert veils.of("none").over("gate", "1", path) == path.read_bytes()
    veil = veils.of("bodies")
    covered = veil.over("gate", "1-bodies", path)
    assert is_plain(simplejpeg.decode_jpeg(covered), BODY)
    assert veil.over("gate", "1-bodies", tmp_path / "gone.jpg") is covered  # looked through once
    assert veil.mark == "-bodies"
