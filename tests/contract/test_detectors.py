"""What every detector must do, whichever it is."""

import numpy as np
import pytest

from sightline import wiring
from sightline.model.frame import Frame, Moment


@pytest.fixture
def needed(network, tmp_path):
    """What engines must be given: a network that sees one box per picture, and a file of boxes."""
    box = np.array([[[0.5, 0.5, 0.4, 0.6]]], np.float32)
    sees = np.where(np.arange(91) == 1, 4.0, -9.0).astype(np.float32)[None, None]
    (tmp_path / "det.txt").write_text("".join(f"{k},-1,{9 * k - 40},20,30,60,0.8\n" for k in range(1, 31)))
    weights = network({"dets": box, "labels": sees})
    known = {"onnx": {"weights": weights}, "tiled": {"weights": weights, "tile_px": 150}}
    return known | {"mot_file": {"path": tmp_path / "det.txt"}}


@pytest.fixture(params=list(wiring.ENGINES["detector"]))
def make(request, needed):
    return lambda: wiring.build("detector", request.param, needed.get(request.param, {}))


def walk(n=12, size=(180, 240), start=0):
    """A dark upright thing with a head and two legs crosses a mottled yard, out of one side and into the other."""
    rng = np.random.default_rng(1)
    yard = rng.integers(110, 150, (*size, 3)).astype(np.uint8)
    tall = size[0] // 3
    for k in range(start, start + n):
        rgb = yard.copy()
        left = (10 * k) % (size[1] + tall) - tall // 3
        top = size[0] // 3
        for low, high, inset in ((0, 0.2, 0.3), (0.2, 0.6, 0.1), (0.6, 1.0, 0.2)):
            x0, x1 = max(0, int(left + inset * tall / 2)), max(0, int(left + (1 - inset) * tall / 2))
            rgb[top + int(low * tall) : top + int(high * tall), x0:x1] = (30, 20, 40)
        yield Frame(Moment("a", k, k / 7), rgb)


def same(one, other):
    np.testing.assert_array_equal(one.xyxy_px, other.xyxy_px)
    np.testing.assert_array_equal(one.score, other.score)
    np.testing.assert_array_equal(one.label, other.label)
    assert one.classes == other.classes


def test_boxes_lie_in_the_picture_and_scores_between_0_and_1(make):
    detector = make()
    for frame in walk(30):
        (found,) = detector.detect([frame])
        h, w, _ = frame.rgb.shape
        assert (found.xyxy_px >= 0).all()
        assert (found.xyxy_px[:, 2:] <= [w, h]).all()
        assert (found.xyxy_px[:, 2:] > found.xyxy_px[:, :2]).all()
        assert ((found.score >= 0) & (found.score <= 1)).all()
        assert (found.label < len(found.classes)).all()


def test_the_picture_is_not_written(make):
    detector = make()
    for frame in walk(4):
        before = frame.rgb.copy()
        detector.detect([frame])
        np.testing.assert_array_equal(frame.rgb, before)


def test_batches_change_nothing(make):
    frames = list(walk())
    one, other = make(), make()
    alone = [one.detect([frame])[0] for frame in frames]
    together = [found for at in (0, 5, 6) for found in other.detect(frames[at : {0: 5, 5: 6, 6: 12}[at]])]
    assert len(together) == len(frames)
    for a, b in zip(alone, together, strict=True):
        same(a, b)


def test_two_instances_are_independent(make):
    one, disturbed, stranger = make(), make(), make()
    frames, others = list(walk()), list(walk(start=40))
    alone = one.detect(frames)
    for expected, frame, other in zip(alone, frames, others, strict=True):
        stranger.detect([other])
        same(disturbed.detect([frame])[0], expected)


def test_nothing_in_nothing_out(make):
    assert make().detect([]) == []


def test_pictures_that_shrink_and_grow_mid_stream_start_anew(make):
    detector = make()
    sizes = [(180, 240), (180, 240), (90, 120), (90, 120), (1, 1), (1, 1), (7, 5), (1, 300), (300, 1), (180, 240)]
    for k, size in enumerate(sizes):
        rgb = np.random.default_rng(k).integers(0, 255, (*size, 3), dtype=np.uint8)
        (found,) = detector.detect([Frame(Moment("a", k, k / 7), rgb)])
        assert (found.xyxy_px <= [size[1], size[0], size[1], size[0]]).all()
