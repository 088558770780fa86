import subprocess
import sys

import av
import numpy as np
import pytest

from sightline.errors import EngineError
from sightline.formats import annotated_video
from sightline.formats.annotated_video import AnnotatedVideo
from sightline.model.frame import Frame, Moment
from sightline.model.tracks import Tracks


def frame(index, t_s, height=90, width=160):
    rgb = np.full((height, width, 3), 60, np.uint8)
    rgb[:, : width // 2] = (200, 30, 30)
    return Frame(Moment("gate", index, t_s), rgb)


def rows(index, *boxes):
    n = len(boxes)
    return Tracks(
        "gate", np.full(n, index), np.full(n, index / 7), np.arange(1, n + 1), np.array(boxes, float).reshape(n, 4),
        np.ones(n), np.zeros(n, np.int64), np.arange(n),
    )  # fmt: skip


def video(path, times, size=(90, 160), **options):
    with AnnotatedVideo(path, **options) as out:
        for index, t_s in enumerate(times):
            out.add(frame(index, t_s, *size), rows(index, [20 + index, 20, 50 + index, 70]))


def interrupted(path):
    with AnnotatedVideo(path) as out:
        out.add(frame(0, 0.0), rows(0))
        raise KeyboardInterrupt


def pictures(path):
    with av.open(str(path)) as container:
        return [(float(p.pts * p.time_base), p.to_ndarray(format="rgb24")) for p in container.decode(video=0)]


def test_browsers_can_play_it(tmp_path):
    video(tmp_path / "a.mp4", np.arange(20) / 10)
    data = (tmp_path / "a.mp4").read_bytes()
    assert data[4:8] == b"ftyp"
    assert data.index(b"moov") < data.index(b"mdat"), "the index comes first, so that it plays while it loads"
    with av.open(str(tmp_path / "a.mp4")) as container:
        (stream,) = container.streams
        codec = stream.codec_context
        assert (codec.name, codec.codec_tag, codec.pix_fmt) == ("h264", "avc1", "yuv420p")
        assert codec.profile in {"High", "Main", "Constrained Baseline"}
        assert 10 <= data[data.index(b"avcC") + 7] <= 42, "a level that every browser plays"


def test_times_are_those_of_the_pictures(tmp_path):
    times = np.array([5.0, 5.04, 5.5, 5.51, 9.0])
    video(tmp_path / "a.mp4", times)
    assert [t for t, _ in pictures(tmp_path / "a.mp4")] == pytest.approx((times - 5).tolist(), abs=1e-4)


def test_colours_survive(tmp_path):
    with AnnotatedVideo(tmp_path / "a.mp4", quality=15) as out:
        for index in range(3):
            out.add(frame(index, index / 10, 96, 160), rows(index))
    _, picture = pictures(tmp_path / "a.mp4")[1]
    assert np.abs(picture[40, 30].astype(int) - (200, 30, 30)).max() < 12
    assert np.abs(picture[40, 130].astype(int) - (60, 60, 60)).max() < 8


def test_boxes_are_drawn_where_they_are(tmp_path):
    video(tmp_path / "a.mp4", np.arange(3) / 10, size=(360, 640))
    with AnnotatedVideo(tmp_path / "plain.mp4") as out:
        for index in range(3):
            out.add(frame(index, index / 10, 360, 640), rows(index))
    drawn, plain = (pictures(tmp_path / name)[0][1].astype(int) for name in ("a.mp4", "plain.mp4"))
    changed = np.abs(drawn - plain).max(axis=2) > 40
    assert changed[69:71, 25:45].any(axis=0).all()
    assert not changed[80:, :].any()
    assert not changed[:, 60:].any()


@pytest.mark.parametrize("size", [(91, 161), (90, 161), (1, 1), (16, 16)])
def test_odd_sizes_are_padded_to_even_ones(tmp_path, size):
    video(tmp_path / "a.mp4", [0.0, 0.1], size=size)
    (_, first), _ = pictures(tmp_path / "a.mp4")
    assert first.shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)


def test_pictures_of_another_size_are_fitted_into_the_first(tmp_path):
    with AnnotatedVideo(tmp_path / "a.mp4") as out:
        out.add(frame(0, 0.0), rows(0))
        out.add(frame(1, 0.1, 45, 40), rows(1, [10, 10, 30, 40]))
        out.add(frame(2, 0.2, 180, 320), rows(2, [10, 10, 30, 40]))
    shapes = [picture.shape for _, picture in pictures(tmp_path / "a.mp4")]
    assert shapes == [(90, 160, 3)] * 3
    narrow = pictures(tmp_path / "a.mp4")[1][1]
    assert narrow[45, 5].max() < 20, "black beside a narrower picture"
    assert narrow[5, 45:75].mean(axis=0)[0] > 120


def test_a_failure_leaves_nothing_and_the_file_of_before(tmp_path):
    (tmp_path / "b.mp4").write_bytes(b"before")
    for name in ("a.mp4", "b.mp4"):
        with pytest.raises(KeyboardInterrupt):
            interrupted(tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == ["b.mp4"]
    assert (tmp_path / "b.mp4").read_bytes() == b"before"


def test_no_pictures_make_no_file(tmp_path):
    with AnnotatedVideo(tmp_path / "a.mp4"):
        pass
    assert not list(tmp_path.iterdir())


def test_an_unknown_encoder_is_named(tmp_path):
    with pytest.raises(EngineError, match="h265_of_mine"):
        video(tmp_path / "a.mp4", [0.0], encoder="h265_of_mine")
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_fails_is_named_and_leaves_nothing(tmp_path):
    with pytest.raises(EngineError, match="encoder mpeg4 failed"):  # which knows no clock as fine as ours
        video(tmp_path / "a.mp4", [0.0], encoder="mpeg4")
    assert not list(tmp_path.iterdir())


def test_without_any_encoder_the_message_says_what_was_tried(tmp_path, monkeypatch):
    monkeypatch.setattr(annotated_video, "ENCODERS", {"none_such": {}})
    annotated_video._working_encoder.cache_clear()
    with pytest.raises(EngineError, match="none_such"):
        video(tmp_path / "a.mp4", [0.0])
    annotated_video._working_encoder.cache_clear()


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from sightline.formats.annotated_video import AnnotatedVideo
from sightline.model.frame import Frame, Moment
from sightline.model.tracks import Tracks

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
noise = np.random.default_rng(0)
try:
    with AnnotatedVideo(Path(sys.argv[1])) as out:
        for k in range(60):
            out.add(Frame(Moment("a", k, k / 10), noise.integers(0, 255, (120, 160, 3), np.uint8)), Tracks.none("a"))
except OSError as error:
    print("OSError", str(error).replace("\\n", " | "))
"""


@pytest.mark.parametrize("room", [0, 1000, 100_000, -1500])
def test_a_full_disk_leaves_no_half_video(tmp_path, room):
    """Full at once, early, in the middle, and when only the index is left to write."""
    path = tmp_path / "a.mp4"
    if room < 0:
        subprocess.run([sys.executable, "-c", FULL_DISK, str(path), "100000000"], check=True, timeout=60)
        room += path.stat().st_size
        path.unlink()
    command = [sys.executable, "-c", FULL_DISK, str(path), str(room)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("OSError"), done.stderr
    assert "a.mp4" in done.stdout
    assert not list(tmp_path.iterdir())
