import pytest

from sightline.sources import reading

from .conftest import MJPEG, X264_B, X264_IPPP, X264_OPEN, X264_REFRESH, X265_LAYERS, X265_OPEN, video

KINDS = {
    "h264 B-frames mp4": ("b.mp4", X264_B),
    "h264 B-frames mkv": ("b.mkv", X264_B),
    "h264 B-frames ts": ("b.ts", X264_B),
    "h264 IPPP": ("p.mp4", X264_IPPP),
    "h264 open groups": ("o.mp4", X264_OPEN),
    "h264 intra refresh": ("r.mp4", X264_REFRESH),
    "hevc open groups": ("h.mp4", X265_OPEN),
    "hevc open groups ts": ("h.ts", X265_OPEN),
    "hevc layers mkv": ("l.mkv", X265_LAYERS),
    "mjpeg": ("j.avi", MJPEG),
}


def shown(source):
    return [(m.index, m.t_s, f.to_ndarray().tobytes()) for m, f in source.pictures()]


@pytest.fixture
def n_decoded(monkeypatch):
    """How many packets went into decoders so far."""
    counts = []
    fed = reading._fed
    monkeypatch.setattr(reading, "_fed", lambda codec, packet: counts.append(packet is not None) or fed(codec, packet))
    return lambda: sum(counts)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grid", ["start", "ffmpeg", "keyframes"])
def test_it_gives_what_full_decoding_gives_bit_for_bit(clip, kind, grid):
    name, codec = KINDS[kind]
    path = clip(name, **codec, n=100)
    for fps in (1, 5, 7.5):
        for part in ({}, {"start_s": 1.17, "end_s": 2.9}):
            sparse = shown(video(path, fps=fps, grid=grid, **part))
            full = shown(video(path, fps=fps, grid=grid, sparse=False, **part))
            assert sparse == full
            assert sparse


@pytest.mark.parametrize(
    ("kind", "fps", "most"),
    [
        ("h264 B-frames mp4", 1, 0.5), ("h264 B-frames mkv", 1, 0.5), ("h264 B-frames ts", 5, 0.8),
        ("h264 IPPP", 1, 0.1), ("h264 open groups", 1, 0.5), ("hevc open groups", 1, 0.5),
        ("hevc layers mkv", 1, 0.5), ("hevc open groups ts", 5, 0.8), ("mjpeg", 5, 0.2),
    ],
)  # fmt: skip
def test_it_decodes_less(clip, n_decoded, kind, fps, most):
    name, codec = KINDS[kind]
    assert list(video(clip(name, **codec, n=100), fps=fps).pictures())
    assert n_decoded() <= most * 100


def test_a_jump_decodes_little(clip, n_decoded):
    path = clip("long.mp4", **X264_B, n=300)
    part = shown(video(path, start_s=8.1, end_s=8.2))
    assert n_decoded() <= 20
    assert part == shown(video(path, start_s=8.1, end_s=8.2, sparse=False))


def test_repeated_timestamps_are_decoded_in_full(clip, tmp_path, n_decoded):
    path = tmp_path / "twice.ts"
    path.write_bytes(clip("b.ts", **X264_B, n=100).read_bytes() * 2)
    sparse, n_sparse = shown(video(path, fps=2)), n_decoded()
    full = video(path, fps=2, sparse=False)
    assert sparse == shown(full)
    assert full.n_lost() == 0
    assert n_sparse >= 200
    assert len(sparse) == 14


def test_a_run_without_end_is_not_held(clip, monkeypatch):
    from sightline.sources import sparse

    monkeypatch.setattr(sparse, "_MOST_HELD", 30)
    path = clip("b1.mp4", codec="libx264", options={"bf": "2", "g": "1000"}, n=100)
    assert shown(video(path, fps=3)) == shown(video(path, fps=3, sparse=False))
