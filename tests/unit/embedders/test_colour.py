"""Looks by colour alone, and what a look is worth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.embedders.colour import Colour
from sightline.embedders.crops import crop, worth
from sightline.errors import OptionError
from sightline.model.frame import Frame, Moment


def person(shirt, trousers, light=1.0, size=(96, 32), seed=0):
    """A picture of somebody with a little noise."""
    rgb = np.full((*size, 3), 90.0)
    rgb[size[0] // 6 : size[0] // 2] = shirt
    rgb[size[0] // 2 :] = trousers
    noise = np.random.default_rng(seed).normal(0, 8, rgb.shape)
    return Frame(Moment("a", 0, 0.0), np.clip(rgb * light + noise, 0, 255).astype(np.uint8))


def look(frame):
    height, width, _ = frame.rgb.shape
    return Colour().embed(frame, np.array([[0.0, 0, width, height]]))[0]


RED, BLUE, BLACK = (200, 40, 40), (40, 40, 200), (25, 25, 25)


def test_a_red_shirt_is_not_a_blue_one():
    same = look(person(RED, BLACK)) @ look(person(RED, BLACK, seed=1))
    assert same > 0.95
    assert look(person(RED, BLACK)) @ look(person(BLUE, BLACK)) < same - 0.2


def test_where_a_colour_is_counts():
    assert look(person(RED, BLUE)) @ look(person(BLUE, RED)) < 0.7


def test_a_little_less_light_and_half_the_size_change_little():
    bright = look(person(RED, BLUE))
    assert bright @ look(person(RED, BLUE, light=0.8)) > 0.85
    assert bright @ look(person(RED, BLUE, size=(48, 16))) > 0.9


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), stripes=st.integers(1, 12))
def test_any_crop_gives_shares_that_add_up(seed, stripes):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (40, 30, 3)).astype(np.uint8)
    (found,) = Colour(stripes=stripes).embed(Frame(Moment("a", 0, 0.0), rgb), np.array([[0.0, 0, 30, 40]]))
    assert found.min() >= 0
    np.testing.assert_allclose(np.square(found).reshape(stripes, -1).sum(axis=1), 1 / stripes)


@pytest.mark.parametrize("stripes", [0, 97])
def test_stripes_are_at_least_a_row(stripes):
    with pytest.raises(OptionError, match=f"stripes={stripes}"):
        Colour(stripes=stripes)


def checks(height=200, width=300):
    """A picture that is sharp everywhere."""
    y, x = np.mgrid[:height, :width] // 2
    return np.repeat(((x + y) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)


def test_a_free_sharp_whole_box_is_worth_most():
    free, far_out = [20.0, 20, 60, 120], [-20.0, 20, 20, 120]
    front, behind = [150.0, 40, 190, 150], [150.0, 20, 190, 120]
    found = worth(checks(), np.array([free, far_out, front, behind]))
    assert found[0] > 0.9
    np.testing.assert_allclose(found[1], 0.5, atol=0.05)
    assert found[2] > 0.9
    np.testing.assert_allclose(found[3], 0.2, atol=0.05)


def test_what_is_blurred_or_not_there_is_worth_nothing():
    grey = np.full((200, 300, 3), 127, np.uint8)
    assert worth(grey, np.array([[20.0, 20, 60, 120]]))[0] == 0
    assert worth(checks(), np.array([[20.0, 20, 20, 20], [500, 20, 560, 120]])).max() == 0
    assert len(worth(grey, np.zeros((0, 4)))) == 0


def test_a_crop_is_what_the_box_shows():
    rgb = np.zeros((50, 50, 3), np.uint8)
    rgb[10:40, 20:35] = 250
    shown = crop(rgb, np.array([20.0, 10, 35, 40]), 8, 16)
    assert shown.shape == (16, 8, 3)
    assert (shown == 250).all()
