import cv2
import numpy as np
import pytest

from sightline.detectors.aerial import Aerial
from sightline.errors import OptionError
from sightline.model.frame import Frame, Moment

H, W, FPS = 180, 320, 8.0


@pytest.fixture(scope="module")
def ground():
    rng = np.random.default_rng(2)
    coarse = cv2.resize(rng.normal(0, 25, (40, 70, 3)), (700, 400), interpolation=cv2.INTER_CUBIC)
    return np.clip(coarse + rng.normal(0, 8, (400, 700, 3)) + 130, 0, 255).astype(np.uint8)


def flight(ground, n, *, pan=3, walk=4, tall=9, shadow=False, tower=0, light=lambda k: 1.0, told=True):
    """A camera slides over the ground, ``walk`` pixels a picture a thing 5 pixels wide walks to the right."""
    rng = np.random.default_rng(0)
    for k in range(n):
        rgb = ground[100 : 100 + H, 50 + pan * k : 50 + pan * k + W].astype(float)
        left, top = 30 + walk * k, 60
        if shadow:
            rgb[top + tall : top + tall + 5, left + 4 : left + 24] *= 0.6
        rgb[top : top + tall, left : left + 5] = (30, 25, 70)
        if tower:  # it stands up from the ground, so that it slides over it as the camera passes
            at = 260 - round((pan + tower) * k)
            if at > 0:
                rgb[120:160, at : at + 30] = ground[200:240, 400:430].astype(float) * 0.6
        rgb = np.clip((rgb + rng.normal(0, 2, rgb.shape)) * light(k), 0, 255).astype(np.uint8)
        warp = np.array([[1, 0, -float(pan)], [0, 1, 0], [0, 0, 1.0]]) if told and k else np.eye(3)
        yield Frame(Moment("drone", k, k / FPS, warp), rgb), np.array([left, top, left + 5, top + tall])


def found(frames, **options):
    detector = Aerial(**options)
    return [(detector.detect([frame])[0].xyxy_px, truth) for frame, truth in frames]


def hits(seen, atol=3.0):
    return np.array([(np.abs(boxes - truth) <= atol).all(axis=1).any() for boxes, truth in seen])


def test_a_walker_of_nine_pixels_is_found_from_a_moving_camera_and_little_else(ground):
    seen = found(flight(ground, 48))
    assert hits(seen)[26:].mean() > 0.9
    assert np.mean([len(boxes) for boxes, _ in seen[26:]]) < 1.3


def test_without_the_camera_s_motion_it_is_lost_in_the_ground(ground):
    assert hits(found(flight(ground, 36, told=False)))[26:].mean() < 0.5


def test_nothing_is_found_before_it_can_look_back(ground):
    assert not any(len(boxes) for boxes, _ in found(flight(ground, 8)))


def test_a_shadow_is_not_part_of_the_walker(ground):
    assert hits(found(flight(ground, 44, shadow=True)))[26:].mean() > 0.8


def test_what_stands_up_is_left_out_when_it_has_slid_for_a_while(ground):
    def below(seen):
        return np.mean([((boxes[:, 1] > 115) & (boxes[:, 3] < 165)).sum() for boxes, _ in seen])

    seen = found(flight(ground, 60, pan=0, walk=2, tower=0.2))
    moving = found(flight(ground, 40, pan=0, walk=2, tower=4.0))
    assert below(seen[36:]) < 0.5 * below(moving[26:])


def test_an_even_change_of_light_is_nothing(ground):
    seen = found(flight(ground, 48, light=lambda k: 1.0 if k < 36 else 1.1))
    assert max(len(boxes) for boxes, _ in seen[36:]) <= 3


def test_a_cut_to_another_scene_begins_anew(ground):
    frames = [frame for frame, _ in flight(ground, 30)]
    detector = Aerial()
    for frame in frames:
        detector.detect([frame])
    other = Frame(Moment("drone", 30, 30 / FPS, np.eye(3)), 255 - frames[-1].rgb)
    assert not len(detector.detect([other])[0])


def test_larger_pictures_are_worked_on_smaller_and_boxes_are_theirs(ground):
    def enlarged():
        for frame, truth in flight(ground, 44, tall=14):
            rgb = cv2.resize(frame.rgb, (2 * W, 2 * H), interpolation=cv2.INTER_LINEAR)
            warp = frame.moment.px_from_before * np.array([[1, 1, 2], [1, 1, 2], [1, 1, 1.0]])
            yield Frame(Moment("drone", frame.moment.index, frame.moment.t_s, warp), rgb), 2 * truth

    assert hits(found(enlarged(), side_px=320), atol=7.0)[26:].mean() > 0.8


@pytest.mark.parametrize("wrong", [{"least_px": 0.0}, {"threshold": -1.0}, {"back_s": 0.5}, {"side_px": 8}])
def test_options_that_make_no_sense_are_named(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Aerial(**wrong)
