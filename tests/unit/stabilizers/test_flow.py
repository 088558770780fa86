import cv2
import numpy as np
import pytest

from sightline.errors import OptionError
from sightline.geometry.warp import warped
from sightline.model.frame import Frame, Moment
from sightline.stabilizers.flow import Flow

W, H = 640, 360


@pytest.fixture(scope="module")
def wall():
    """A large textured picture to look at parts of."""
    rng = np.random.default_rng(5)
    picture = sum(
        cv2.resize(rng.normal(0, 40, (800 // n, 1200 // n, 3)), (1200, 800), interpolation=cv2.INTER_CUBIC)
        for n in (4, 10, 30)
    )
    return np.clip(picture + 120, 0, 255).astype(np.uint8)


def frame(rgb, index, fps=10.0):
    return Frame(Moment("a", index, index / fps), np.ascontiguousarray(rgb))


def seen(wall, px_from_wall):
    """The wall through a camera; pixel centres are at halves."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return cv2.warpPerspective(wall, np.linalg.inv(half) @ px_from_wall @ half, (W, H), flags=cv2.INTER_CUBIC)


def view(x=280.0, y=220.0, turn=0.0, zoom=1.0, tilt=0.0):
    """Where a camera that looks at the wall near its middle has it."""
    c, s = zoom * np.cos(turn), zoom * np.sin(turn)
    to_middle = np.array([[1, 0, W / 2], [0, 1, H / 2], [0, 0, 1]])
    about = np.array([[c, -s, 0], [s, c, 0], [tilt, 0, 1]])
    from_wall = np.array([[1, 0, -x - W / 2], [0, 1, -y - H / 2], [0, 0, 1]])
    return to_middle @ about @ from_wall


CORNERS = np.array([[0, 0], [W, 0], [0, H], [W, H]], float)


@pytest.mark.parametrize(
    "after",
    [
        view(x=283.3, y=218.6),
        view(x=320, y=230),
        view(turn=0.02),
        view(zoom=1.03),
        view(x=275, turn=-0.01, zoom=0.98),
        view(x=284, tilt=2e-5),
    ],
    ids=["pan", "far", "turn", "zoom", "all", "tilt"],
)
def test_known_motion_is_found_to_a_third_of_a_pixel(wall, after):
    flow = Flow()
    flow.px_from_before(frame(seen(wall, view()), 0))
    found = flow.px_from_before(frame(seen(wall, after), 1))
    truth = after @ np.linalg.inv(view())
    np.testing.assert_allclose(warped(found, CORNERS), warped(truth, CORNERS), atol=0.3)


def test_a_leap_of_a_third_of_the_picture_is_found(wall):
    flow = Flow()
    flow.px_from_before(frame(seen(wall, view(x=200)), 0))
    found = flow.px_from_before(frame(seen(wall, view(x=400)), 1))
    np.testing.assert_allclose(warped(found, CORNERS), CORNERS - [200, 0], atol=0.5)


def test_a_large_picture_is_as_exact(wall):
    big = cv2.resize(wall, (1920, 1280), interpolation=cv2.INTER_CUBIC)
    flow = Flow()
    flow.px_from_before(frame(big[100:1180, :1900], 0))
    found = flow.px_from_before(frame(big[94:1174, 13:1913], 1))
    corners = np.array([[0, 0], [1900, 0], [0, 1080], [1900, 1080]], float)
    np.testing.assert_allclose(warped(found, corners), corners + np.array([-13, 6]), atol=0.3)


def walked_through(wall, flow, *, step=7, n=12, size=(90, 170)):
    """A still camera, noise, and a large thing that crosses."""
    rng = np.random.default_rng(0)
    thing = wall[600 : 600 + size[1], : size[0]]
    for k in range(n):
        rgb = seen(wall, view()).astype(float)
        rgb[100 : 100 + size[1], 40 + step * k : 40 + step * k + size[0]] = thing
        yield flow.px_from_before(frame(np.clip(rgb + rng.normal(0, 4, rgb.shape), 0, 255).astype(np.uint8), k))


def test_a_camera_at_rest_is_exactly_at_rest(wall):
    for found in walked_through(wall, Flow()):
        np.testing.assert_array_equal(found, np.eye(3))


def test_a_thing_that_fills_half_the_picture_does_not_move_the_camera(wall):
    for found in walked_through(wall, Flow(), step=9, size=(330, 200)):
        np.testing.assert_array_equal(found, np.eye(3))


def test_a_moving_camera_is_not_fooled_by_what_moves(wall):
    flow = Flow()
    for k in range(6):
        rgb = seen(wall, view(x=260 + 4.0 * k)).copy()
        rgb[80:250, 400 - 20 * k : 520 - 20 * k] = wall[600:770, :120]
        found = flow.px_from_before(frame(rgb, k))
        expected = CORNERS - [4.0 if k else 0.0, 0]
        np.testing.assert_allclose(warped(found, CORNERS), expected, atol=0.3)


def test_slow_drift_is_not_lost(wall):
    flow, total = Flow(), np.eye(3)
    for k in range(41):
        total = flow.px_from_before(frame(seen(wall, view(x=260 + 0.05 * k)), k)) @ total
    np.testing.assert_allclose(warped(total, CORNERS), CORNERS - [2, 0], atol=0.4)


def test_a_cut_a_blank_and_a_new_size_give_the_identity(wall):
    flow = Flow()
    first = seen(wall, view())
    other = np.ascontiguousarray(wall[:H, :W][::-1])
    blank = np.full((H, W, 3), 90, np.uint8)
    for k, rgb in enumerate([first, other, blank, first, first[::2, ::2], first[:1, :1]]):
        np.testing.assert_array_equal(flow.px_from_before(frame(rgb, k)), np.eye(3))


def test_options_out_of_range_are_refused():
    with pytest.raises(OptionError, match="side_px = 10"):
        Flow(side_px=10)
