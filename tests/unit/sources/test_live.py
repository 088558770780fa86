"""Live decoding, on files that are read as if they came from a camera: what is read cannot be read again."""

from contextlib import closing
from fractions import Fraction
from itertools import pairwise

import av
import pytest

from sightline.sources import live, reading
from sightline.sources.container import clock_of
from sightline.sources.opening import open_file
from sightline.sources.reading import Tally, all_decoded
from sightline.sources.units import unit_reader

from .conftest import MJPEG, MPEG4, X264_B, X264_IPPP, X264_OPEN, X264_REFRESH, X265_LAYERS, X265_OPEN

KINDS = {
    "h264 IPPP": ("p.mp4", X264_IPPP),
    "h264 IPPP ts": ("p.ts", X264_IPPP),
    "h264 B-frames": ("b.mp4", X264_B),
    "h264 B-frames ts": ("b.ts", X264_B),
    "h264 open groups": ("o.mp4", X264_OPEN),
    "h264 intra refresh": ("r.mp4", X264_REFRESH),
    "hevc open groups ts": ("h.ts", X265_OPEN),
    "hevc layers": ("l.mkv", X265_LAYERS),
    "mjpeg": ("j.avi", MJPEG),
}


class Played:
    """A file read once, packet by packet."""

    def __init__(self, path, fps, grid="start", *, sparse=True, packets=None):
        self.path, self.fps, self.grid, self.sparse, self.packets = path, fps, grid, sparse, packets
        self.tally, self.n_read = Tally(), 0

    def _compressed(self, opened):
        mend = self.packets or (lambda packets: packets)
        for packet in mend(p for p in opened.container.demux(opened.stream) if p.size):
            self.n_read += 1
            yield packet

    def pictures(self):
        with closing(open_file(self.path)) as opened:
            opened.codec.thread_type = "SLICE"
            clock = clock_of(opened, None)
            span = live.live_sampling(self.grid, self.fps, end_s=None, tick=clock.tick)
            compressed, codec = self._compressed(opened), opened.codec
            if self.sparse:
                yield from live.live_pictures(codec, unit_reader(codec), compressed, span, clock, self.tally)
            else:
                yield from all_decoded(compressed, codec, span, clock, self.tally)


def shown(played):
    return [(p.index, p.t, p.frame.to_ndarray().tobytes()) for p in played.pictures()]


@pytest.fixture
def n_decoded(monkeypatch):
    """How many packets went into decoders so far."""
    counts = []
    fed = reading._fed
    monkeypatch.setattr(reading, "_fed", lambda codec, packet: counts.append(packet is not None) or fed(codec, packet))
    return lambda: sum(counts)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grid", ["start", "aligned"])
@pytest.mark.parametrize("fps", [1.0, 5.0, 7.5, 30.0])
def test_it_gives_what_full_decoding_gives_bit_for_bit(clip, kind, grid, fps):
    name, codec = KINDS[kind]
    path = clip(name, **codec, n=150)
    sparse = shown(Played(path, fps, grid))
    assert sparse == shown(Played(path, fps, grid, sparse=False))
    assert len(sparse) >= fps * 150 / 30


@pytest.mark.parametrize(
    ("kind", "fps", "most"),
    [("h264 IPPP", 1.0, 5), ("h264 B-frames", 1.0, 75), ("h264 B-frames ts", 1.0, 75), ("mjpeg", 5.0, 25)],
)
def test_it_decodes_less(clip, n_decoded, kind, fps, most):
    name, codec = KINDS[kind]
    assert shown(Played(clip(name, **codec, n=150), fps))
    assert n_decoded() <= most


@pytest.mark.parametrize(("kind", "most"), [("h264 IPPP", 0), ("h264 B-frames", 4), ("h264 open groups", 4)])
def test_a_wanted_picture_waits_for_no_more_than_reordering(clip, kind, most):
    name, codec = KINDS[kind]
    played = Played(clip(name, **codec, n=150), 7.0)
    late = [played.n_read - 1 - picture.index for picture in played.pictures()]
    assert len(late) >= 30
    assert max(late) <= most


def test_what_is_held_of_a_run_without_end_is_bounded(clip, monkeypatch):
    from sightline.sources import sparse

    path = clip("b1.mp4", codec="libx264", options={"bf": "2", "g": "1000"}, n=150)
    expected = shown(Played(path, 0.3, sparse=False))
    monkeypatch.setattr(sparse, "_MOST_HELD", 30)
    most, judge = [], sparse.Schedule._judge
    monkeypatch.setattr(
        sparse.Schedule, "_judge", lambda self, *a, **k: most.append(len(self.held())) or judge(self, *a, **k)
    )
    assert shown(Played(path, 0.3)) == expected
    assert max(most) <= 31


def shifted(change):
    """Changes the timestamps (in pictures) of packets; ``change(n)`` is added to the n-th."""

    def mend(packets):
        for n, packet in enumerate(packets):
            tick = round(Fraction(1, 30) / packet.time_base)
            by = change(n)
            packet.pts, packet.dts = (None, None) if by is None else (packet.pts + by * tick, packet.dts + by * tick)
            yield packet

    return mend


@pytest.mark.parametrize(
    "change",
    [
        lambda n: None if n == 0 else 0,
        lambda n: None if n % 50 == 7 else 0,
        lambda n: -10_000 if n >= 75 else 0,
        lambda n: 0 if n < 75 else 100_000,
        lambda n: -1 if n % 20 == 3 else 0,
        lambda n: None,
    ],
    ids=["first without", "some without", "back by minutes", "ahead by an hour", "repeated", "none"],
)
@pytest.mark.parametrize("kind", ["h264 IPPP", "h264 B-frames"])
@pytest.mark.parametrize("grid", ["start", "aligned"])
def test_odd_timestamps_stop_nothing_and_lose_nothing(clip, monkeypatch, change, kind, grid):
    monkeypatch.setattr(live, "_WARY", 25)
    name, codec = KINDS[kind]
    played = Played(clip(name, **codec, n=300), 5.0, grid, packets=shifted(change))
    pictures = list(played.pictures())
    assert 45 <= len(pictures) <= 60
    assert all(a.t < b.t and a.index < b.index for a, b in pairwise(pictures))
    assert played.n_read == 300


def test_a_clock_that_stands_still_does_not_stop_it(clip):
    name, codec = KINDS["h264 IPPP"]
    still = Played(clip(name, **codec, n=300), 5.0, packets=shifted(lambda n: -n))
    pictures = list(still.pictures())
    assert len(pictures) >= 20
    assert all(a.t < b.t for a, b in pairwise(pictures))


def test_after_an_oddity_it_decodes_less_again(clip, monkeypatch, n_decoded):
    monkeypatch.setattr(live, "_WARY", 25)
    name, codec = KINDS["h264 IPPP"]
    back = shifted(lambda n: -10_000 if n >= 75 else 0)
    assert list(Played(clip(name, **codec, n=600), 1.0, "aligned", packets=back).pictures())
    assert n_decoded() < 150


def test_codecs_that_tell_nothing_are_decoded_in_full(clip):
    with closing(open_file(clip("m.mp4", **MPEG4))) as opened:
        assert unit_reader(opened.codec) is None
    with av.open(str(clip("j.avi", **MJPEG))) as file:
        assert unit_reader(file.streams.video[0].codec_context) is not None
