"""What every stabilizer must do, whichever it is."""

import numpy as np
import pytest

from sightline import wiring
from sightline.model.frame import Frame, Moment


@pytest.fixture(params=list(wiring.ENGINES["stabilizer"]))
def make(request):
    return lambda: wiring.build("stabilizer", request.param, {})


def pictures(shift=6, n=5, size=(240, 320)):
    """A strip of noise that passes by."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (size[0] // 8, 80, 3), dtype=np.uint8)
    strip = coarse.repeat(8, axis=0).repeat(8, axis=1)
    for k in range(n):
        rgb = np.ascontiguousarray(strip[:, shift * k : shift * k + size[1]])
        yield Frame(Moment("a", k, k / 10), rgb)


def test_the_first_picture_gives_the_identity(make):
    np.testing.assert_array_equal(make().px_from_before(next(pictures())), np.eye(3))


def test_a_camera_at_rest_gives_exactly_the_identity(make):
    stabilizer = make()
    for frame in pictures(shift=0):
        np.testing.assert_array_equal(stabilizer.px_from_before(frame), np.eye(3))


def test_a_shift_is_told_from_before_to_now(make):
    stabilizer = make()
    for k, frame in enumerate(pictures()):
        expected = np.array([[1, 0, -6 if k else 0], [0, 1, 0], [0, 0, 1]], float)
        np.testing.assert_allclose(stabilizer.px_from_before(frame), expected, atol=0.2)


def test_two_instances_are_independent(make):
    one, other = make(), make()
    alone = [one.px_from_before(frame) for frame in pictures()]
    for k, frame in enumerate(pictures()):
        if k == 2:
            make().px_from_before(next(pictures(shift=0)))
        np.testing.assert_array_equal(other.px_from_before(frame), alone[k])


def test_the_picture_is_not_written(make):
    stabilizer = make()
    for frame in pictures():
        before = frame.rgb.copy()
        stabilizer.px_from_before(frame)
        np.testing.assert_array_equal(frame.rgb, before)


@pytest.mark.parametrize("value", [0, 127, 255])
def test_blank_tiny_and_shrinking_pictures_give_the_identity(make, value):
    stabilizer = make()
    sizes = [(240, 320), (240, 320), (120, 160), (8, 8), (8, 8), (1, 1), (1, 1), (1, 300), (1, 300), (240, 320)]
    for k, size in enumerate(sizes):
        frame = Frame(Moment("a", k, k / 10), np.full((*size, 3), value, np.uint8))
        np.testing.assert_array_equal(stabilizer.px_from_before(frame), np.eye(3))
