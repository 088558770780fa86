"""Heatmaps as pictures: heat lies where it was, on the map or on plain ground."""

import cv2
import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.formats.heatmap import HeatPicture, drawn, png


def heat(**more):
    seconds = np.zeros((10, 20))
    seconds[2, 5] = 40.0
    return HeatPicture(low_m=(0.0, 0.0), cell_m=1.0, seconds=seconds, **more)


def warmest(picture):
    """Where the picture is reddest: the middle of what is."""
    redness = picture[..., 0].astype(int) - picture[..., 2]
    return np.argwhere(redness > 0.8 * redness.max()).mean(axis=0)


def test_heat_lies_on_the_maps_picture_where_it_was(tmp_path):
    map_picture = np.full((200, 400, 3), 255, np.uint8)
    cv2.imwrite(str(tmp_path / "map.png"), map_picture)
    px_from_map = np.array([[20.0, 0, 0], [0, -20.0, 200.0]])
    picture = drawn(heat(under=(tmp_path / "map.png", px_from_map)))
    assert picture.shape == (200, 400, 3)
    assert np.allclose(warmest(picture), [200 - 2.5 * 20, 5.5 * 20], atol=6)


def test_without_a_map_y_runs_up_unless_it_is_said_to_run_down():
    up, down = (warmest(drawn(heat(is_y_down=is_down))) for is_down in (False, True))
    assert up[0] > down[0]
    assert up[1] == pytest.approx(down[1], abs=2)


def test_zones_and_lines_are_drawn_and_nothing_else_is_needed():
    plain = drawn(HeatPicture(low_m=(0.0, 0.0), cell_m=1.0, seconds=np.zeros((0, 0))))
    square = [("Über", [(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)])]
    zoned = drawn(
        HeatPicture((0.0, 0.0), 1.0, np.zeros((0, 0)), zones=square, lines=[("gate", [(1.0, 1.0), (4.0, 4.0)])])
    )
    blue = (zoned[..., 2].astype(int) - zoned[..., 0] > 100).sum()
    assert blue > 300 > (plain[..., 2].astype(int) - plain[..., 0] > 100).sum()
    assert png(zoned)[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_map_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "map.png").write_text("no")
    with pytest.raises(FormatError, match=r"map\.png"):
        drawn(heat(under=(tmp_path / "map.png", np.eye(3)[:2])))
