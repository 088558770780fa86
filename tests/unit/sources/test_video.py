import gc
import itertools
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from sightline.errors import SourceError

from .conftest import MJPEG, MPEG4, X264_B, picture, video


def indices(source):
    return [moment.index for moment, _ in source.pictures()]


def brightness(frame):
    return float(frame.rgb[2:6].mean())


@pytest.mark.parametrize(
    "kind", [("a.mp4", X264_B), ("a.mkv", X264_B), ("a.ts", X264_B), ("a.avi", MPEG4), ("b.avi", MJPEG)]
)
def test_every_picture_comes_once_in_order_at_its_own_time(clip, kind):
    name, codec = kind
    frames = list(video(clip(name, **codec)).frames())
    assert [f.moment.index for f in frames] == list(range(60))
    assert [f.moment.t_s for f in frames] == pytest.approx([i / 30 for i in range(60)], abs=6e-4)
    assert [brightness(f) for f in frames] == pytest.approx([i * 4 % 256 for i in range(60)], abs=12)


def test_about_agrees_with_what_comes(clip):
    source = video(clip("a.mp4", **X264_B), camera="gate")
    about = source.about()
    assert (about.name, about.width, about.height) == ("gate", 160, 96)
    assert (about.fps, about.duration_s, about.n_frames) == (30, 2, 60)
    sampled = video(clip("a.mp4", **X264_B), fps=5, start_s=1)
    assert (sampled.about().fps, sampled.about().duration_s, sampled.about().n_frames) == (5, 1, 5)
    assert len(list(sampled.frames())) == 5
    assert source.n_lost() == 0


def test_reading_again_starts_again(clip):
    source = video(clip("a.mp4", **X264_B), fps=10)
    assert indices(source) == indices(source) == list(range(0, 60, 3))


def test_variable_frame_rate_is_sampled_by_time(clip):
    times = [*range(0, 1000, 40), 1900, 2600, *range(3000, 4000, 20)]
    source = video(clip("vfr.mkv", **X264_B, n=len(times), times_ms=times, rate=25), fps=5)
    seconds = [frame.moment.t_s for frame in source.frames()]
    assert seconds == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.9, 2.6, 3.0, 3.2, 3.4, 3.6, 3.8])


def test_the_range_is_cut_by_time_and_numbers_stay_those_of_the_file(clip):
    assert indices(video(clip("a.mp4", **X264_B), start_s=0.5, end_s=1)) == list(range(15, 30))


def test_a_jump_far_into_a_file_keeps_the_numbers(clip):
    long = clip("long.mp4", **X264_B, n=300)
    assert indices(video(long, start_s=7.52, end_s=7.7)) == [226, 227, 228, 229, 230]
    assert indices(video(long, start_s=7.52, fps=1)) == [226, 256, 286]


def test_a_header_that_lies_can_be_overruled(clip):
    source = video(clip("a.mp4", **X264_B), assume_fps=7)
    moments = [moment for moment, _ in source.pictures()]
    assert [m.t_s for m in moments] == pytest.approx([i / 7 for i in range(60)])
    assert source.about().fps == 7
    assert source.about().duration_s == pytest.approx(60 / 7)
    assert indices(video(clip("a.mp4", **X264_B), assume_fps=7, fps=1)) == list(range(0, 60, 7))


def test_keyframes_alone(clip):
    assert indices(video(clip("a.mp4", **X264_B), grid="keyframes")) == [0, 20, 40]
    assert indices(video(clip("a.avi", **MPEG4), grid="keyframes")) == [0, 20, 40]


TURNS = {
    "none": (1, 0, 0, 1),
    "right": (0, 1, -1, 0),
    "half": (-1, 0, 0, -1),
    "left": (0, -1, 1, 0),
    "mirror": (-1, 0, 0, 1),
}
UPRIGHT = {
    "none": lambda a: a,
    "right": lambda a: np.rot90(a, -1),
    "half": lambda a: np.rot90(a, 2),
    "left": np.rot90,
    "mirror": np.fliplr,
}


@pytest.mark.parametrize("turn", TURNS)
def test_pictures_come_upright(clip, tmp_path, turn):
    stored = clip("a.mp4", **X264_B)
    data = bytearray(stored.read_bytes())
    at = data.index(b"tkhd") + 44
    a, b, c, d = TURNS[turn]
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(data)
    frame = next(video(turned).frames())
    assert np.array_equal(frame.rgb, UPRIGHT[turn](next(video(stored).frames()).rgb))
    about = video(turned).about()
    assert (about.height, about.width) == frame.rgb.shape[:2]
    planes = next(video(turned).planes())
    assert planes.y.shape == frame.rgb.shape[:2]
    assert planes.u.shape == tuple(side // 2 for side in planes.y.shape)


def test_pictures_may_change_size_on_the_way(clip, tmp_path):
    both = tmp_path / "both.ts"
    small = clip("small.ts", **X264_B, n=20, size=(96, 64))
    both.write_bytes(clip("a.ts", **X264_B).read_bytes() + small.read_bytes())
    frames = list(video(both).frames())
    assert {f.rgb.shape for f in frames} == {(96, 160, 3), (64, 96, 3)}
    assert len(frames) == 80
    times = [f.moment.t_s for f in frames]
    assert all(a < b for a, b in itertools.pairwise(times))
    sampled = list(video(both, fps=5).frames())
    assert {f.rgb.shape for f in sampled} == {(96, 160, 3), (64, 96, 3)}


def test_colours_come_back(clip):
    rgb = next(video(clip("a.mp4", **X264_B)).frames()).rgb
    assert np.abs(rgb[25:55, 3:17].reshape(-1, 3).mean(0) - picture(0)[25:55, 3:17].reshape(-1, 3).mean(0)).max() < 8


@pytest.mark.parametrize(
    ("options", "words"),
    [({"fps": 0}, "fps"), ({"assume_fps": -1}, "assume_fps"), ({"start_s": 2, "end_s": 1}, "end_s")],
)
def test_rates_and_ranges_that_make_no_sense(options, words):
    with pytest.raises(SourceError, match=words):
        video(Path("any.mp4"), **options)


def one_line(source, *words):
    for act in (source.about, lambda: list(source.frames())):
        with pytest.raises(SourceError) as caught:
            act()
        message = str(caught.value)
        assert "\n" not in message
        assert all(word in message for word in words), message


def test_what_is_no_video_is_told_in_one_line(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("not a video\n" * 100)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    one_line(video(text), "text.mp4", "not a video")
    one_line(video(empty), "empty.mp4", "empty")
    one_line(video(tmp_path), str(tmp_path), "folder")
    one_line(video(tmp_path / "none.mp4"), "none.mp4", "no such file")


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    one_line(video(path), "sound.mp4", "no video stream", "audio")


def test_a_start_behind_the_end_is_told(clip):
    with pytest.raises(SourceError, match=r"no picture at or after 50\.0 s; it is 2\.0 s long"):
        list(video(clip("a.mp4", **X264_B), start_s=50).frames())


def test_a_playlist_may_not_reach_elsewhere(tmp_path):
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(SourceError, match=r"list\.m3u8"):
        video(tmp_path / "list.m3u8").about()


def test_hardware_that_is_not_there(clip):
    from sightline.sources.opening import open_file

    path = clip("a.mp4", **X264_B)
    for device in ("cuda", "qsv", "drm", "amf"):
        try:
            open_file(path, device).close()
        except SourceError as error:
            assert device in str(error)  # noqa: PT017  (a machine may have it)
    assert len(list(video(path, hardware="auto").frames())) == 60


@pytest.mark.parametrize("give", ["frames", "planes", "pictures"])
def test_pictures_are_let_go_without_waiting_for_the_garbage_collector(clip, give):
    gc.collect()
    gc.disable()
    try:
        for _ in getattr(video(clip("a.mp4", **X264_B)), give)():
            pass
        left = sum(issubclass(type(thing), av.VideoFrame) for thing in gc.get_objects())
    finally:
        gc.enable()
    assert left <= 4
