"""Sites as people write them: what they say, and where a mistake is."""

import json

import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.formats.sites.toml import read, shipped
from sightline.geometry.warp import warped

WARP = np.array([[0.01, 0.001, -3.0], [0.0002, -0.02, 8.0], [0.00001, -0.0008, 1.0]])
"""Takes pixels to metres; the horizon is above the picture."""
PX = np.array([[100, 700], [1200, 690], [640, 650], [200, 560], [1100, 540], [700, 600], [400, 620], [900, 580.0]])


def forward():
    w = WARP[2] @ np.array([640.0, 720.0, 1.0])
    return WARP * np.sign(w)


def site(tmp_path, camera="", before='id = "yard"'):
    file = tmp_path / "site.toml"
    gate, door = (f'[[cameras]]\nid = "{name}"' for name in ("gate", "door"))
    file.write_text(f"{before}\n[map]\nmetres_per_unit = 1.0\n{gate}\n{camera}\n{door}\n")
    return file


def pairs():
    there = warped(forward(), PX)
    lines = [
        f"{{ px = [{x}, {y}], map = [{east:.9f}, {north:.9f}], name = 'mark {i}' }},"
        for i, ((x, y), (east, north)) in enumerate(zip(PX, there, strict=True))
    ]
    return "points = [\n" + "\n".join(lines) + "\n]"


def test_pairs_of_points_give_the_plane_and_their_names(tmp_path):
    watch = read(site(tmp_path, pairs())).watches[0]
    assert watch.plane.names[3] == "mark 3"
    assert np.allclose(warped(watch.plane.map_from_px, PX), warped(forward(), PX), atol=1e-5)
    assert watch.plane.off_map.max() < 1e-3


def test_a_numpy_archive_gives_the_same(tmp_path):
    np.savez(
        tmp_path / "p.npz", image_points=PX.astype(np.float32), map_points=warped(forward(), PX).astype(np.float32)
    )
    watch = read(site(tmp_path, 'points_file = "p.npz"')).watches[0]
    assert np.allclose(warped(watch.plane.map_from_px, PX), warped(forward(), PX), atol=1e-3)


@pytest.mark.parametrize("with_points", [True, False])
def test_a_json_of_several_cameras_gives_the_same(tmp_path, with_points):
    own = {"id": "gate", "homography": (-WARP).tolist()}  # whatever its sign
    if with_points:
        own |= {"source_points": PX.tolist(), "destination_points": warped(forward(), PX).tolist()}
    (tmp_path / "h.json").write_text(json.dumps({"ground_plane": {}, "cameras": [{"id": "other"}, own]}))
    watch = read(site(tmp_path, 'points_file = "h.json"')).watches[0]
    assert np.allclose(warped(watch.plane.map_from_px, PX), warped(forward(), PX), atol=1e-4)


def test_a_matrix_gives_the_same_whatever_its_sign(tmp_path):
    rows = json.dumps((-3 * forward()).tolist())
    watch = read(site(tmp_path, f"size = [1280, 720]\nmap_from_px = {rows}")).watches[0]
    assert np.allclose(warped(watch.plane.map_from_px, PX), warped(forward(), PX))


def test_cameras_overlap_each_other_and_hand_over(tmp_path):
    text = 'overlaps = ["door"]\nhand_overs = [{ to = ["door"], side = "left" }]\nvideos = ["a.mp4", "rtsp://cam/1"]'
    gate, door = read(site(tmp_path, text, before='id = "yard"\nbase = "s3://bucket/"')).watches
    assert gate.overlaps == ("door",)
    assert door.overlaps == ("gate",)
    assert (gate.hand_overs[0].side, gate.hand_overs[0].share) == ("left", 0.4)
    assert gate.videos == ("s3://bucket/a.mp4", "rtsp://cam/1")


def test_paths_are_meant_from_the_files_own_folder(tmp_path):
    assert read(site(tmp_path, 'videos = ["a.mp4"]')).watches[0].videos == (str(tmp_path / "a.mp4"),)


def test_a_map_can_lie_on_earth(tmp_path):
    file = site(tmp_path)
    file.write_text(
        file.read_text().replace("[map]", "[map]\nanchor = { lat_deg = 52.0, lon_deg = 13.0, y = 'right' }")
    )
    anchor = read(file).map.anchor
    assert np.allclose([anchor.lat_rad, anchor.lon_rad, anchor.x_bearing_rad], np.radians([52.0, 13.0, 90.0]))
    assert anchor.is_y_down


COUNTED = """
[[zones]]
id = "counter"
corners = [[0, 0], [4, 0], [4, 3]]
[[lines]]
id = "entrance"
name = "The door"
ends = [[0, 0], [4, 0]]
inside = [2, 5]
"""


def test_zones_and_lines_are_on_the_map_and_a_beginning_is_in_time(tmp_path):
    file = site(tmp_path, before='id = "yard"\nbegins = 2026-05-01T08:00:00+02:00')
    file.write_text(file.read_text() + COUNTED)
    found = read(file)
    assert [(zone.id, zone.name, len(zone.corners)) for zone in found.zones] == [("counter", "counter", 3)]
    assert [(line.name, line.ends, line.inside) for line in found.lines] == [
        ("The door", ((0.0, 0.0), (4.0, 0.0)), (2.0, 5.0))
    ]
    assert found.begins_utc_s == 1777615200.0
    assert read(site(tmp_path)).begins_utc_s is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("[4, 3]]", "[8, 0]]", "zone 'counter': corners enclose no area"),
        (", [4, 3]]", "]", r"zones\[1\].corners: .*at least 3"),
        ("[2, 5]", "[9, 0]", "line 'entrance': inside lies on the line"),
        ("[[0, 0], [4, 0]]\ni", "[[1, 1], [1, 1]]\ni", "line 'entrance': inside lies on the line"),
        ('id = "entrance"', 'id = "counter"', "two zones or lines are called 'counter'"),
    ],
)
def test_mistakes_in_what_is_counted_are_named(tmp_path, before, after, said):
    file = site(tmp_path)
    file.write_text(file.read_text() + COUNTED.replace(before, after))
    with pytest.raises(FormatError, match=said):
        read(file)


@pytest.mark.parametrize("begins", ["2026-05-01T08:00:00", "1969-05-01T08:00:00Z"])
def test_a_beginning_needs_a_zone_and_clocks_that_there_were(tmp_path, begins):
    with pytest.raises(FormatError, match="begins"):
        read(site(tmp_path, before=f'id = "yard"\nbegins = {begins}'))


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ('videos = "a.mp4"', r"cameras\[1\].videos: input should be a valid list"),
        ("ofset_s = 3", r"cameras\[1\].ofset_s: is not known here"),
        ('overlaps = ["roof"]', "camera 'gate' names 'roof'; there are gate, door"),
        ('overlaps = ["gate"]', "overlaps itself"),
        ('hand_overs = [{ to = ["door"], side = "top" }]', r"hand_overs\[1\].side: input should be 'left'"),
        ("points = [{ px = [1, 2], map = [3, 4] }]", "camera 'gate': points: 1 pairs"),
        ("points = [{ px = [1, 2], map = [nan, 4] }]", r"points\[1\].map\[1\]: input should be a finite number"),
        ('points_file = "no.npz"', "no.npz is not there"),
        ("map_from_px = [[1, 0, 0], [2, 0, 0], [0, 0, 1]]", "map_from_px: takes the whole picture to one line"),
        ('points_file = "a.npz"\nmap_from_px = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]', "keep one"),
        ("id = 3", "no TOML"),
    ],
)
def test_mistakes_are_named(tmp_path, camera, said):
    with pytest.raises(FormatError, match=said) as caught:
        read(site(tmp_path, camera))
    assert str(tmp_path / "site.toml") in str(caught.value)


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ({"image_points": PX}, "no map_points; both are needed"),
        ({"image_points": PX, "map_points": PX[:5]}, "8 image_points, but 5 map_points"),
        ({"image_points": PX.ravel(), "map_points": PX}, r"image_points is \(16,\)"),
        (None, "no NumPy archive"),
    ],
)
def test_archives_that_are_none_are_named(tmp_path, contents, said):
    if contents is None:
        (tmp_path / "p.npz").write_bytes(b"PK no")
    else:
        np.savez(tmp_path / "p.npz", **contents)
    with pytest.raises(FormatError, match=said):
        read(site(tmp_path, 'points_file = "p.npz"'))


def test_an_archive_of_objects_is_not_unpickled(tmp_path):
    np.savez(tmp_path / "p.npz", image_points=np.array([{}], object), map_points=PX)
    with pytest.raises(FormatError, match="no NumPy archive"):
        read(site(tmp_path, 'points_file = "p.npz"'))


@pytest.mark.parametrize(("name", "cameras"), [("factory", "c09 c12 c13 c16"), ("campus", "c01 c02 c03 c05")])
def test_shipped_sites_are_as_documented(name, cameras):
    found = read(shipped()[name])
    assert found.id == name
    assert " ".join(watch.id for watch in found.watches) == cameras
    first = found.watches[0]
    scene = "video_s14" if name == "factory" else "video_s37"
    assert first.videos[3] == f"s3://spoton_ml/{scene}/{first.id}/sub_video_04.mp4"
