import cv2
import numpy as np
import pytest

from sightline.detectors.motion import Motion
from sightline.errors import OptionError
from sightline.model.frame import Frame, Moment
from sightline.stabilizers.flow import Flow

H, W = 180, 320


@pytest.fixture(scope="module")
def yard():
    rng = np.random.default_rng(2)
    coarse = cv2.resize(rng.normal(0, 25, (30, 60, 3)), (600, 300), interpolation=cv2.INTER_CUBIC)
    return np.clip(coarse + rng.normal(0, 8, (300, 600, 3)) + 130, 0, 255).astype(np.uint8)


def film(yard, n, *, fps=10.0, speed_px=6, light=lambda k: 1.0, pan=0, shadow=False, box=(16, 40), noise=3.0):
    """A dark box of 16 x 40 pixels walks to the right; pictures and the truth."""
    rng = np.random.default_rng(0)
    for k in range(n):
        rgb = yard[20 : 20 + H, 20 + pan * k : 20 + pan * k + W].astype(float) * light(k)
        left, top = 10 + speed_px * k, 70
        if shadow:
            rgb[top + box[1] - 4 : top + box[1] + 4, left : left + 60] *= 0.65
        rgb[top : top + box[1], left : left + box[0]] = (25, 30, 60)
        rgb = np.clip(rgb + rng.normal(0, noise, rgb.shape), 0, 255).astype(np.uint8)
        yield Frame(Moment("a", k, k / fps), rgb), np.array([left, top, left + box[0], top + box[1]])


def steadied(frames):
    flow = Flow()
    for frame, truth in frames:
        warp = flow.px_from_before(frame)
        moment = Moment("a", frame.moment.index, frame.moment.t_s, warp)
        yield Frame(moment, frame.rgb), truth


def close(found, truth, atol=4.0):
    """Some box is where the thing is."""
    return (np.abs(found.xyxy_px - truth) <= atol).all(axis=1).any()


def test_a_walker_is_found_and_nothing_else(yard):
    detector, seen = Motion(), []
    for frame, truth in film(yard, 40):
        (found,) = detector.detect([frame])
        seen.append((close(found, truth), len(found)))
    assert seen[0] == (False, 0)
    assert all(hit for hit, _ in seen[20:])
    assert all(n == 1 for _, n in seen[20:])


def test_it_scores_what_stands_out_above_a_half(yard):
    detector = Motion()
    *_, last = (detector.detect([frame])[0] for frame, _ in film(yard, 20))
    assert 0.6 < last.score[0] < 1


def test_a_shadow_is_not_part_of_the_walker(yard):
    detector = Motion()
    hits = [close(detector.detect([frame])[0], truth, atol=7.0) for frame, truth in film(yard, 40, shadow=True)]
    assert all(hits[20:])


def test_a_panning_camera_finds_the_walker_and_not_the_yard(yard):
    detector, seen = Motion(), []
    for frame, truth in steadied(film(yard, 40, pan=4)):
        (found,) = detector.detect([frame])
        seen.append((close(found, truth, atol=6.0), len(found)))
    assert np.mean([hit for hit, _ in seen[10:]]) > 0.9
    assert np.mean([n for _, n in seen[10:]]) < 1.5


def test_lights_switched_on_are_not_a_thing(yard):
    detector = Motion()
    for frame, _ in film(yard, 40, light=lambda k: 0.6 if k < 25 else 1.4):
        (found,) = detector.detect([frame])
        sides = found.xyxy_px[:, 2:] - found.xyxy_px[:, :2]
        assert (sides.prod(axis=1) < 0.2 * W * H).all()


def test_a_cut_is_not_a_thing_and_the_walker_is_found_soon_after(yard):
    detector = Motion()
    frames = list(film(yard, 30))
    other = 255 - cv2.flip(yard, -1)
    frames[15:] = [
        (Frame(frame.moment, cut.rgb), truth)
        for (frame, truth), (cut, _) in zip(frames[15:], list(film(other, 30))[15:], strict=True)
    ]
    found = [detector.detect([frame])[0] for frame, _ in frames]
    assert len(found[15]) == 0
    assert close(found[29], frames[29][1])


@pytest.mark.parametrize("fps", [2.0, 15.0])
def test_it_forgets_in_seconds_whatever_the_rate(yard, fps):
    """A thing put down is found at first, and background after a while of the same length."""
    detector = Motion(history_s=2.0)
    still_there = {}
    for k in range(int(25 * fps)):
        rgb = yard[:80, :100].copy()
        if k / fps >= 10:
            rgb[20:60, 50:66] = (25, 30, 60)
        (found,) = detector.detect([Frame(Moment("a", k, k / fps), rgb)])
        still_there[k / fps] = len(found) > 0
    assert still_there[12.0]
    assert not still_there[24.0]
    assert 14 < max(t for t, there in still_there.items() if there) < 17


def test_fragments_one_above_the_other_are_one_thing(yard):
    detector = Motion()
    *earlier, (last, truth) = film(yard, 30)
    for frame in [*(frame for frame, _ in earlier), last]:
        rgb = frame.rgb.copy()
        rgb[88:91] = yard[108:111, 20 : 20 + W]
        (found,) = detector.detect([Frame(frame.moment, rgb)])
    assert close(found, truth)
    assert len(found) == 1


def test_grey_pictures_are_fine(yard):
    detector = Motion()
    *earlier, (last, truth) = film(yard, 30)
    for frame in [*(frame for frame, _ in earlier), last]:
        grey = np.repeat(frame.rgb.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
        (found,) = detector.detect([Frame(frame.moment, grey)])
    assert close(found, truth)


@pytest.mark.parametrize("options", [{"least_px": 0.0}, {"threshold": -1.0}, {"history_s": 0.0}, {"gap": float("nan")}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        Motion(**options)
