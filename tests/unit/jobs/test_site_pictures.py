"""Pictures of who was seen on a site, and of its map."""

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sightline.formats.annotated_video import AnnotatedVideo
from sightline.formats.picture import decoded
from sightline.jobs.sites.maps import is_y_down, pale_map
from sightline.jobs.sites.portraits import Watched, gathered, portraits, still
from sightline.jobs.sites.reporting import late_clocks
from sightline.model.frame import Frame, Moment
from sightline.model.site import Anchor, Site, SiteMap, Watch
from sightline.model.tracks import Tracks


def site_with(**of_map):
    return Site("yard", "Yard", SiteMap(**of_map), (Watch("gate", ("gate.mp4",), offset_s=0.5),))


@pytest.fixture
def map_picture(tmp_path):
    """Ten metres wide, six high: red where y is low, blue where it is high."""
    bgr = np.zeros((60, 100, 3), np.uint8)
    bgr[:30, :, 0], bgr[30:, :, 2] = 255, 255
    cv2.imwrite(str(tmp_path / "map.png"), bgr)
    return str(tmp_path / "map.png")


CORNERS = np.array([[2.0, 2.0], [8.0, 4.0], [np.nan, 100.0]])


def shades(picture, tmp_path):
    """Mean red and blue of its upper and its lower quarter."""
    path = tmp_path / "part.jpg"
    path.write_bytes(picture.jpeg)
    rgb = decoded(path, "part.jpg").astype(float)
    quarter = len(rgb) // 4
    return rgb[:quarter].mean(axis=(0, 1))[[0, 2]], rgb[-quarter:].mean(axis=(0, 1))[[0, 2]]


def test_the_part_of_the_map_around_points_has_y_up(map_picture, tmp_path):
    site = site_with(picture=map_picture, picture_from_map=((10.0, 0.0, 0.0), (0.0, -10.0, 60.0)))
    part = pale_map(site, CORNERS)
    assert (part.low_m, part.high_m) == ((0.0, 0.0), (10.0, 6.0))
    (red_above, blue_above), (red_below, blue_below) = shades(part, tmp_path)
    assert blue_above - red_above > 100
    assert red_below - blue_below > 100


def test_a_map_whose_y_runs_down_is_drawn_as_its_picture_is(map_picture, tmp_path):
    site = site_with(picture=map_picture, picture_from_map=((10.0, 0.0, 0.0), (0.0, 10.0, 0.0)))
    assert is_y_down(site)
    part = pale_map(site, CORNERS * [1, -1])
    assert part.low_m[1] == -6.0
    (red_above, blue_above), (red_below, blue_below) = shades(part, tmp_path)
    assert blue_above - red_above > 100
    assert red_below - blue_below > 100


def test_a_map_without_a_picture_is_told_by_its_anchor():
    assert is_y_down(site_with(anchor=Anchor(0.0, 0.0, 0.0, is_y_down=True)))
    assert not is_y_down(site_with())
    assert pale_map(site_with(), CORNERS) is None


@pytest.fixture
def film(tmp_path):
    """A second of ten pictures with stripes that only one who looks closely sees."""
    rgb = np.repeat(np.where(np.arange(120) // 3 % 2, 255, 0).astype(np.uint8)[:, None], 160, axis=1)
    with AnnotatedVideo(tmp_path / "gate.mp4", quality=10) as video:
        for k in range(10):
            video.add(Frame(Moment("gate", k, k / 10), np.stack([rgb] * 3, axis=-1)), Tracks.none("gate"))
    return str(tmp_path / "gate.mp4")


@pytest.fixture
def seen(tmp_path):
    """Somebody small and whole, larger and cut off, large and whole; and somebody else; and nobody."""
    rows = [
        # moment, identity, whole, left, top, right, bottom
        (5, 7, True, 10, 10, 20, 40),
        (6, 7, False, 0, 0, 30, 100),
        (7, 7, True, 40, 20, 70, 110),
        (7, 8, True, 100, 20, 120, 80),
        (8, -1, True, 100, 20, 150, 110),
    ]
    moment, identity, whole, *box = (list(column) for column in zip(*rows, strict=True))
    columns = {"moment": moment, "t_s": [m / 10 for m in moment], "camera": ["gate"] * 5, "identity": identity}
    columns["global_id"] = [f"id-{one}" if one > 0 else None for one in identity]
    columns |= {"score": [0.9] * 5, "whole": whole} | {
        name: np.array(side, float) for name, side in zip(("left", "top", "right", "bottom"), box, strict=True)
    }
    columns |= {name: [value] * 5 for name, value in (("xx_m2", 0.04), ("xy_m2", 0.0), ("yy_m2", 0.04))}
    pq.write_table(pa.table(columns), tmp_path / "sightings.parquet")
    return gathered(tmp_path / "sightings.parquet", ["gate", "dock"])


def test_the_best_box_of_everybody_is_whole_and_tall(seen):
    best = seen.best["gate"]
    assert dict(zip(best.identity.tolist(), best.moment.tolist(), strict=True)) == {7: 7, 8: 7}
    assert best.xyxy_px[best.identity == 7].tolist() == [[40, 20, 70, 110]]
    assert "dock" not in seen.best


def test_the_busiest_moment_and_counts_are_told(seen):
    assert seen.busiest["gate"].moment.tolist() == [7, 7]
    assert {who: (stay.name, stay.first_s, stay.last_s) for who, stay in seen.stays.items()} == {
        7: ("id-7", 0.0, 0.0),
        8: ("id-8", 0.0, 0.0),
    }
    assert seen.all_px["gate", 7].tolist() == [[40, 20, 70, 110], [100, 20, 120, 80]]
    assert seen.n_sightings == {"gate": 5, "dock": 0}
    second, count = seen.per_second["gate"]
    assert (second.tolist(), count.tolist()) == ([0.0], [2])
    assert seen.ce90_m == pytest.approx(0.2 * np.sqrt(2 * np.log(10)))


def test_portraits_come_from_the_recordings_while_they_are_there(seen, film):
    site, parts = site_with(), [Watched({"gate": film}, 5, 10.0)]
    found = list(portraits(site, seen, parts, "none", lambda *_: None, lambda: False))
    assert [(who, camera) for who, camera, _ in found] == [(7, "gate"), (8, "gate")]
    assert still(site, "gate", seen, parts, "none") is not None
    gone = [Watched({"gate": "rtsp://gate/main"}, 5, 10.0)]
    assert not list(portraits(site, seen, gone, "none", lambda *_: None, lambda: False))


def test_who_is_covered_in_the_report_cannot_be_told(seen, tmp_path, film):
    site, parts = site_with(), [Watched({"gate": film}, 0, 10.0)]
    spread = []
    for privacy in ("none", "bodies"):
        [jpeg, _] = [jpeg for *_, jpeg in portraits(site, seen, parts, privacy, lambda *_: None, lambda: False)]
        at = tmp_path / f"{privacy}.jpg"
        at.write_bytes(jpeg)
        grey = decoded(at, "portrait").mean(axis=2)
        middle = grey[len(grey) // 4 : -len(grey) // 4, grey.shape[1] // 4 : -grey.shape[1] // 4]
        spread.append(np.abs(np.diff(middle, axis=0)).mean())
    assert spread[1] < 0.5 * spread[0]


def test_clocks_that_are_off_are_told_with_what_to_write():
    (slow,) = late_clocks(site_with(), {"gate": 0.48})
    assert "0.48 s slow" in slow
    assert slow.endswith("offset_s in the site's file is 0.02")
    (fast,) = late_clocks(site_with(), {"gate": -0.2})
    assert "0.20 s fast" in fast
    assert fast.endswith("0.70")
