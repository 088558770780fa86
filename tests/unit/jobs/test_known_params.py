"""What is known of pictures beforehand, as jobs are told it."""

import numpy as np
import pytest

from sightline.errors import FormatError, OptionError
from sightline.geometry.rigid import inverse, looking_at
from sightline.jobs import kinds
from sightline.jobs.album import Album, Kept
from sightline.jobs.kinds.known import KnownParams, told
from sightline.jobs.known import with_known
from sightline.model.scene import Scale

NAMES = ("a.jpg", "b.jpg", "c.jpg")
POSES = [looking_at(np.array([x, -5.0, 1.0]), np.zeros(3)) for x in (0.0, 1.0, 2.0)]
FLIPPED = np.diag([1.0, -1.0, -1.0, 1.0])
TRANSFORMS = {
    "w": 64, "h": 48, "fl_x": 60.0, "ply_file_path": "sparse_pc.ply",
    "frames": [
        {"file_path": f"images/{name}", "transform_matrix": (inverse(pose) @ FLIPPED).tolist()}
        for name, pose in zip(NAMES, POSES, strict=True)
    ],
}  # fmt: skip


def heard(tmp_path, **known):
    """The pictures as an engine gets them."""
    album = Album(tuple(Kept(name, name, width=64, height=48) for name in NAMES), False)
    with told(KnownParams.model_validate(known), tmp_path) as said:
        return with_known(album, said)


def test_poses_and_lenses_arrive_as_they_were_given(tmp_path):
    taken = heard(tmp_path, poses=TRANSFORMS)
    assert np.allclose([shot.cam_from_world for shot in taken.shots], POSES)
    assert taken.shots[0].lens.focal_px == (60.0, 60.0)
    assert taken.unit is Scale.POSES


def test_positions_arrive_in_metres_and_on_earth(tmp_path):
    taken = heard(tmp_path, positions=[{"image": "b.jpg", "x": 1, "y": 2.5, "z": 0}])
    assert taken.shots[0].eye_world_m is None
    assert taken.shots[1].eye_world_m.tolist() == [1.0, 2.5, 0.0]
    on_earth = [{"image": name, "latitude": 51.0, "longitude": 7.0, "height": n} for n, name in enumerate(NAMES)]
    taken = heard(tmp_path, positions=on_earth)
    assert taken.origin == (51.0, 7.0, 0.0)
    assert taken.unit is Scale.GPS


def test_a_lens_arrives(tmp_path):
    assert heard(tmp_path, lens="PINHOLE 128 96 120 120 64 48").shots[2].lens.focal_px == (60.0, 60.0)


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"lens": "FOV 64 48 1 2 3"}, "known: lens: 'FOV' is no lens model"),
        ({"poses": {}, "positions": [{"image": "a", "x": 1, "y": 1, "z": 1}]}, "poses have positions in them"),
        ({"positions": [{"image": "a", "x": 1, "y": 1}]}, "known.positions.0: give x, y and z"),
        ({"positions": [{"image": "a", "latitude": 91, "longitude": 0, "height": 0}]}, "positions.0.latitude"),
        ({"positions": []}, "known.positions"),
        ({"distance": {"images": ["a"], "metres": 1}}, "known.distance.images"),
        ({"distance": {"images": ["a", "b"], "metres": 0}}, "known.distance.metres"),
        ({"distance": {"images": ["a", "b"], "metres": 1}, "marker_side_m": 1}, "distance, marker_side_m"),
        ({"marker_side_m": -1}, "known.marker_side_m"),
        ({"scale": 2}, "known.scale"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_asked_for(known, why):
    with pytest.raises(OptionError, match=why):
        kinds.kind("reconstruct").checked({"source": "x.mp4", "known": known})


def test_what_fits_no_picture_is_named_by_its_parameter(tmp_path):
    with pytest.raises(FormatError, match=r"^known.positions: says nothing of these pictures"):
        heard(tmp_path, positions=[{"image": "other.jpg", "x": 1, "y": 1, "z": 1}])
    with pytest.raises(FormatError, match=r"^known.poses: no list 'frames'"):
        heard(tmp_path, poses={"frames": 3})
