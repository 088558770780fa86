"""Cameras in step: every picture at its own moment, whatever its rate and its clock."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.model.detections import Detections
from sightline.model.frame import Frame, Moment
from sightline.model.tracks import Tracks
from sightline.pipeline.site import Post, in_step
from sightline.pipeline.track import Sight

RGB = np.zeros((2, 2, 3), np.uint8)


def sights(name, times):
    for index, t_s in enumerate(times):
        yield Sight(Frame(Moment(name, index, t_s), RGB), Detections.none(), Tracks.none(name))


def test_pictures_sampled_from_another_rate_all_have_a_moment_of_their_own():
    taken = [next(t for t in (k * 0.08 for k in range(400)) if t >= i / 10 - 1e-9) for i in range(100)]
    assert [one.index for one in in_step([Post("a", sights("a", taken))], 10.0)] == list(range(100))


@given(
    st.lists(
        st.tuples(st.floats(2, 30), st.integers(0, 40), st.floats(-3, 3), st.integers(0, 2**31)), min_size=1, max_size=4
    ),
    st.floats(1, 30),
)
def test_every_picture_comes_once_at_its_moment_and_moments_rise(cameras, fps):
    times, posts = {}, []
    for number, (rate, n, offset, seed) in enumerate(cameras):
        gaps = np.random.default_rng(seed).uniform(0.5, 1.5, n) / rate
        times[f"c{number}"] = (np.cumsum(gaps).tolist(), offset)
        posts.append(Post(f"c{number}", sights(f"c{number}", times[f"c{number}"][0]), offset))
    instants = list(in_step(posts, fps))
    assert all(a.index < b.index for a, b in pairwise(instants))
    for name, (own, offset) in times.items():
        mine = [(instant.index, instant.sights[name]) for instant in instants if name in instant.sights]
        seen = [(index, sight.frame.moment.t_s) for index, sight in mine]
        shift = round(offset * fps)
        assert all(-1e-3 <= t_s * fps + shift - index < 1 for index, t_s in seen)
        wanted = {int(np.floor(t_s * fps + 1e-3)) + shift for t_s in own}
        assert [index for index, _ in seen] == sorted(index for index in wanted if index >= 0)
    assert all(instant.sights for instant in instants)
