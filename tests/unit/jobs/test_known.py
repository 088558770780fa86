"""What is known of pictures beforehand, put to those it is about."""

import json

import numpy as np
import pytest

from sightline.errors import FormatError, OptionError
from sightline.formats.scenes import colmap, nerfstudio
from sightline.geometry.rigid import looking_at
from sightline.jobs.album import Album, Kept
from sightline.jobs.known import Known, with_known
from sightline.model.lens import Lens
from sightline.model.scene import MadeBy, Scale, Scene, Views

LENS = Lens.pinhole(64, 48, np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]]))
POSES = np.array([looking_at(np.array([x, -5.0, 1.0]), np.zeros(3)) for x in (0.0, 1.0, 2.0)])


def album(names=("a.jpg", "b.jpg", "c.jpg"), size=(64, 48), place=(51.0, 7.0, 100.0)):
    return Album(tuple(Kept(name, name, width=size[0], height=size[1], place=place) for name in names), False)


def scene(engine="", scale=Scale.UNKNOWN):
    views = Views(("a.jpg", "b.jpg", "c.jpg"), np.zeros(3, np.int64), POSES, np.ones(3, bool))
    return Scene((LENS,), views, MadeBy(engine, "1" if engine else ""), scale=scale)


@pytest.mark.parametrize("form", ["binary", "text", "nerfstudio"])
def test_poses_and_lenses_are_taken_as_they_are(tmp_path, form):
    if form == "nerfstudio":
        nerfstudio.write(scene(), tmp_path / "given")
    else:
        colmap.write(scene(), tmp_path / "given", text=form == "text")
        (tmp_path / "given" / colmap.ABOUT).unlink()
    taken = with_known(album(), Known(poses=tmp_path / "given"))
    for shot, pose in zip(taken.shots, POSES, strict=True):
        assert np.allclose(shot.cam_from_world, pose)
        assert np.allclose(shot.lens.px_from_cam, LENS.px_from_cam)
        assert shot.eye_world_m is None
    assert (taken.unit, taken.origin) == (Scale.POSES, None)


@pytest.mark.parametrize("writes", [colmap.write, nerfstudio.write])
def test_poses_of_ours_keep_the_unit_that_they_have(tmp_path, writes):
    writes(scene("sfm", Scale.UNKNOWN), tmp_path / "given")
    assert with_known(album(), Known(poses=tmp_path / "given")).unit is Scale.UNKNOWN


def test_a_lens_is_made_smaller_with_its_pictures_or_refused(tmp_path):
    nerfstudio.write(scene(), tmp_path / "given")
    half = with_known(album(size=(32, 24)), Known(poses=tmp_path / "given"))
    assert np.allclose(half.shots[0].lens.params, LENS.params / 2)
    with pytest.raises(FormatError, match=r"a\.jpg is 64x48 there, the picture 48x64"):
        with_known(album(size=(48, 64)), Known(poses=tmp_path / "given"))


def test_pictures_are_told_by_the_last_part_of_their_names(tmp_path):
    nerfstudio.write(scene(), tmp_path / "given")
    taken = with_known(album(("x/b.jpg", "y/a.jpg", "new.jpg")), Known(poses=tmp_path / "given"))
    assert np.allclose(taken.shots[0].cam_from_world, POSES[1])
    assert np.allclose(taken.shots[1].cam_from_world, POSES[0])
    assert taken.shots[2].cam_from_world is None


def test_poses_of_other_pictures_are_refused(tmp_path):
    nerfstudio.write(scene(), tmp_path / "given")
    with pytest.raises(FormatError, match=r"says nothing of these pictures; it has 'a\.jpg' first"):
        with_known(album(("x.jpg", "y.jpg")), Known(poses=tmp_path / "given"))


def test_a_damaged_note_beside_a_model_is_named(tmp_path):
    colmap.write(scene(), tmp_path / "given")
    (tmp_path / "given" / colmap.ABOUT).write_text(json.dumps({"scale": "ells"}))
    with pytest.raises(FormatError, match=r"sightline\.json: 'ells'"):
        with_known(album(), Known(poses=tmp_path / "given"))


def test_positions_in_metres_replace_what_cameras_noted(tmp_path):
    (tmp_path / "where.csv").write_text("image,x,y,z\na.jpg,1,2,3\nb.jpg,4,5,6\n")
    taken = with_known(album(), Known(positions=tmp_path / "where.csv"))
    assert [shot.eye_world_m is not None for shot in taken.shots] == [True, True, False]
    assert taken.shots[1].eye_world_m.tolist() == [4.0, 5.0, 6.0]
    assert (taken.unit, taken.origin) == (Scale.POSES, None)


def test_positions_on_earth_keep_the_first_as_origin(tmp_path):
    (tmp_path / "where.csv").write_text("image,lat,lon,alt\nb.jpg,51,7,100\nc.jpg,51.001,7,110\n")
    taken = with_known(album(), Known(positions=tmp_path / "where.csv"))
    assert (taken.unit, taken.origin) == (Scale.GPS, (51.0, 7.0, 100.0))
    assert np.allclose(taken.shots[2].eye_world_m, [0.0, 111.259, 10.0], atol=0.01)


def test_what_cameras_noted_keeps_its_origin():
    taken = with_known(album(), Known())
    assert (taken.unit, taken.origin) == (None, (51.0, 7.0, 100.0))


def test_a_calibrated_lens_goes_to_all_pictures_of_its_shape():
    taken = with_known(album(size=(128, 96)), Known(lens="opencv 64 48 60,61,32,24 0.1 0 0 0"))
    assert taken.shots[2].lens.params.tolist() == [120.0, 122.0, 64.0, 48.0, 0.1, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "'' is no lens model"),
        ("FOV 64 48 1 2 3", "'FOV' is no lens model"),
        ("PINHOLE 64 48 60 60 32", "3 numbers, PINHOLE has 4"),
        ("PINHOLE 64 wide 60 60 32 24", "MODEL WIDTH HEIGHT NUMBERS"),
        ("PINHOLE 64 48 0 60 32 24", "more than 0"),
        ("PINHOLE 64 48 nan 60 32 24", "more than 0"),
        ("PINHOLE 48 64 60 60 24 32", "it is for 48x64, no picture has that shape"),
    ],
)
def test_a_lens_that_is_none_is_refused(text, why):
    with pytest.raises(OptionError, match=f"lens: .*{why}"):
        with_known(album(), Known(lens=text))


def test_poses_and_positions_exclude_each_other(tmp_path):
    with pytest.raises(OptionError, match="give one of them"):
        with_known(album(), Known(poses=tmp_path, positions=tmp_path / "where.csv"))
