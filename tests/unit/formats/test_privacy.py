"""Heads or bodies in coarse blocks."""

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.formats.annotated_video import AnnotatedVideo
from sightline.formats.privacy import blurred
from sightline.model.frame import Frame, Moment
from sightline.model.tracks import Tracks

BOX = [60.0, 40, 100, 140]
MIDDLE = (slice(66, 134), slice(64, 96))
HEAD = (slice(42, 63), slice(64, 96))


def picture():
    return np.random.default_rng(0).integers(0, 256, (180, 200, 3), np.uint8)


def n_colours(part):
    return len(np.unique(part.reshape(-1, 3), axis=0))


def test_of_a_body_some_blocks_are_left_and_around_it_all_is_as_it_was():
    rgb = picture()
    found = blurred(rgb, np.array([BOX]), "bodies")
    assert n_colours(found[MIDDLE]) <= 4 * 10
    assert n_colours(found[HEAD]) <= 4 * 10
    assert (found[:30] == rgb[:30]).all()
    assert (found[:, :50] == rgb[:, :50]).all()
    assert (rgb == picture()).all(), "what was given is left as it was"


def test_of_a_face_the_upper_part_is_covered_and_the_rest_shows():
    rgb = picture()
    found = blurred(rgb, np.array([BOX]), "faces")
    assert n_colours(found[HEAD]) <= 4 * 6
    assert (found[MIDDLE] == rgb[MIDDLE]).all()


@pytest.mark.parametrize("what", ["faces", "bodies"])
def test_a_box_that_is_a_little_too_small_leaves_nothing_out(what):
    rgb = picture()
    changed = (blurred(rgb, np.array([BOX]), what) != rgb).any(axis=2)
    assert changed[33:63, 57:103].mean() > 0.95


def test_no_privacy_and_nobody_change_nothing():
    rgb = picture()
    assert blurred(rgb, np.array([BOX]), "none") is rgb
    assert blurred(rgb, np.zeros((0, 4)), "bodies") is rgb


EDGE = st.one_of(st.floats(-1e4, 1e4), st.just(np.nan), st.just(np.inf))


@given(boxes=st.lists(st.tuples(EDGE, EDGE, EDGE, EDGE), max_size=4), what=st.sampled_from(["faces", "bodies"]))
def test_any_boxes_give_a_picture_of_the_same_size(boxes, what):
    assert blurred(picture(), np.array(boxes).reshape(-1, 4), what).shape == (180, 200, 3)


@pytest.mark.parametrize("followed", [True, False])
def test_an_annotated_video_covers_the_followed_and_the_others(tmp_path, followed):
    checks = np.where(np.indices((180, 200)).sum(axis=0) // 6 % 2, 255, 0).astype(np.uint8)
    frame = Frame(Moment("gate", 0, 0.0), np.repeat(checks[:, :, None], 3, axis=2))
    one, zero = np.ones(1, np.int64), np.zeros(1, np.int64)
    rows = Tracks("gate", zero, np.zeros(1), one, np.array([BOX]), np.ones(1), zero, zero)
    with AnnotatedVideo(tmp_path / "a.mp4", privacy="bodies") as video:
        if followed:
            video.add(frame, rows)
        else:
            video.add(frame, Tracks.none("gate"), np.array([BOX]))
    with av.open(str(tmp_path / "a.mp4")) as container:
        shown = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert shown[74:130, 68:92].std() < 40 < shown[74:130, 120:180].std()
