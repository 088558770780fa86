import itertools

import numpy as np
import pytest

from sightline.errors import SourceError

from .conftest import X264_B, video


def read(path, **options):
    source = video(path, **options)
    frames = list(source.frames())
    times = [f.moment.t_s for f in frames]
    assert all(a < b for a, b in itertools.pairwise(times))
    return frames, source.n_lost()


def cut(source, path, share):
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def test_a_cut_mp4_gives_all_it_holds_and_counts_the_rest(clip, tmp_path):
    whole = clip("f.mp4", **X264_B, n=120, container={"movflags": "faststart"})
    frames, n_lost = read(cut(whole, tmp_path / "cut.mp4", 0.6))
    assert [f.moment.index for f in frames] == list(range(len(frames)))
    assert len(frames) > 40
    assert len(frames) + n_lost == 120
    perfect = list(video(whole).frames())
    assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(frames[:-1], perfect, strict=False))


def test_a_cut_mkv_gives_all_it_holds_and_counts_the_rest(clip, tmp_path):
    frames, n_lost = read(cut(clip("f.mkv", **X264_B, n=120), tmp_path / "cut.mkv", 0.6))
    assert len(frames) > 40
    assert len(frames) + n_lost == 120


def test_a_sampled_cut_file_counts_what_was_wanted(clip, tmp_path):
    whole = clip("f.mp4", **X264_B, n=120, container={"movflags": "faststart"})
    frames, n_lost = read(cut(whole, tmp_path / "cut.mp4", 0.6), fps=5)
    assert len(frames) + n_lost == pytest.approx(20, abs=1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", [{}, {"fps": 5}, {"start_s": 1}])
def test_flipped_bytes_in_a_transport_stream(clip, tmp_path, seed, options):
    data = np.frombuffer(clip("f.ts", **X264_B, n=120).read_bytes(), np.uint8).copy()
    rng = np.random.default_rng(seed)
    data[rng.integers(0, len(data), 40)] ^= rng.integers(1, 256, 40, np.uint8)
    path = tmp_path / "flipped.ts"
    path.write_bytes(data.tobytes())
    frames, n_lost = read(path, **options)
    n_asked = {"{}": 120, "{'fps': 5}": 20, "{'start_s': 1}": 90}[str(options)]
    assert n_asked * 0.5 < len(frames) <= n_asked + 1
    if not options:
        assert 115 <= len(frames) + n_lost <= 125
        assert n_lost > 0


def test_a_hole_in_an_mp4_loses_only_pictures(clip, tmp_path):
    whole = clip("f.mp4", **X264_B, n=120, container={"movflags": "faststart"})
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path = tmp_path / "hole.mp4"
    path.write_bytes(data)
    frames, n_lost = read(path)
    assert len(frames) + n_lost == 120
    assert n_lost > 0
    assert frames[-1].moment.index == 119


def test_an_index_cut_off_is_told(clip, tmp_path):
    path = cut(clip("b.mp4", **X264_B), tmp_path / "cut.mp4", 0.5)
    with pytest.raises(SourceError, match=r"cut\.mp4: not a video .*cut off before its index"):
        video(path).about()


def test_a_file_of_which_nothing_can_be_decoded(clip, tmp_path):
    whole = clip("f.mp4", **X264_B, n=120, container={"movflags": "faststart"})
    data = bytearray(whole.read_bytes())
    at = data.index(b"mdat") + 4
    data[at:] = bytes(len(data) - at)
    path = tmp_path / "blank.mp4"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"blank\.mp4: no(ne| picture)"):
        list(video(path).frames())
    with pytest.raises(SourceError, match=r"blank\.mp4: no picture"):
        video(path).about()
