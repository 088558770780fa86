"""Sky in made-up pictures whose truth is known."""

import cv2
import numpy as np
import pytest

from sightline.formats.scenes import sky


def landscape(top, bottom, *, clouds=False, scale=1.0):
    """Hills, a tower and branches before a sky that goes from one colour to another; and where the sky is."""
    random = np.random.default_rng(3)
    height, width = 360, 640
    down = np.linspace(0, 1, height)[:, None, None]
    picture = np.array(top) * (1 - down) + np.array(bottom) * down + np.zeros((height, width, 1))
    if clouds:
        noise = cv2.GaussianBlur(random.normal(size=(height, width)), (0, 0), 25)
        share = np.clip(noise / noise.std() - 0.3, 0, 1)[..., None]
        picture = picture * (1 - share) + 245 * share
    horizon = 200 + 30 * np.sin(np.arange(width) / 60) + 20 * np.sin(np.arange(width) / 17)
    ground = np.arange(height)[:, None] >= horizon
    ground[60:, 500:580] = True
    for _ in range(60):
        a = random.integers([0, 40], [160, 260])
        branch = np.zeros((height, width), np.uint8)
        cv2.line(branch, a.tolist(), (a + random.integers(-60, 60, 2)).tolist(), 1, 3)
        ground |= branch > 0
    texture = cv2.GaussianBlur(random.normal(size=(height, width, 3)), (0, 0), 1.2) * 90 + [100, 100, 70]
    picture[ground] = texture[ground]
    picture = cv2.GaussianBlur(picture, (0, 0), 0.7) + random.normal(size=picture.shape) * 3
    rgb = np.clip(picture, 0, 255).astype(np.uint8)
    size = round(width * scale), round(height * scale)
    return cv2.resize(rgb, size), cv2.resize((~ground).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5])
@pytest.mark.parametrize(
    ("top", "bottom", "clouds"),
    [
        ((70, 120, 200), (190, 210, 235), False),
        ((70, 120, 200), (190, 210, 235), True),
        ((205, 208, 212), (225, 226, 228), False),
    ],
)
def test_most_of_the_sky_is_found_and_hardly_anything_else(top, bottom, clouds, scale):
    rgb, truth = landscape(top, bottom, clouds=clouds, scale=scale)
    found = sky.mask(rgb)
    assert (found & truth).sum() > 0.8 * truth.sum()
    assert (found & ~truth).sum() < 0.03 * (~truth).sum()


def test_the_gaps_between_branches_are_sky():
    rgb, truth = landscape((70, 120, 200), (190, 210, 235))
    gaps = truth[60:180, 40:160]
    assert (sky.mask(rgb)[60:180, 40:160] & gaps).sum() > 0.7 * gaps.sum()


@pytest.mark.parametrize(
    "rgb",
    [(150, 120, 80), (90, 130, 60), (40, 40, 60), (0, 0, 0)],
    ids=["sand", "meadow", "night", "black"],
)
def test_a_smooth_ground_is_no_sky(rgb):
    assert not sky.mask(np.full((200, 300, 3), rgb, np.uint8)).any()


def test_blue_below_is_no_sky():
    picture = np.full((200, 300, 3), (90, 130, 60), np.uint8)
    picture[120:] = (80, 130, 210)
    assert not sky.mask(picture).any()


def test_a_picture_of_nothing_but_sky_is_all_sky():
    assert sky.mask(np.full((200, 300, 3), (90, 140, 220), np.uint8)).mean() > 0.95


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 4000)])
def test_pictures_of_any_shape_are_answered(shape):
    found = sky.mask(np.zeros((*shape, 3), np.uint8))
    assert found.shape == shape
    assert not found.any()


@pytest.mark.shared
def test_real_pictures_have_the_sky_that_they_have(shared):
    """Sand from above and a kitchen have none; behind the wall there is haze along the upper edge."""
    kitchen = [cv2.imread(str(shared / "data/scenes/kitchen/images" / f"{k:02d}.png")) for k in (0, 12, 24)]
    sand = list(_frames(shared / "data/scenes/pyramid.mp4", (0, 300, 700)))
    wall = list(_frames(shared / "data/scenes/great_wall.mp4", (0, 120, 240)))
    for bgr in (*kitchen, *sand):
        assert sky.mask(np.ascontiguousarray(bgr[..., ::-1])).mean() < 0.005
    for bgr in wall:
        found = sky.mask(np.ascontiguousarray(bgr[..., ::-1]))
        assert 0.03 < found.mean() < 0.2
        assert not found[len(found) // 3 :].any()


def _frames(path, which):
    video = cv2.VideoCapture(str(path))
    for index in which:
        video.set(cv2.CAP_PROP_POS_FRAMES, index)
        yield video.read()[1]
    video.release()
