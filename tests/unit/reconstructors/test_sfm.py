"""Structure from motion, on a room that is known to the millimetre."""

import numpy as np
import pytest

from sightline.errors import EngineError, OptionError, ReconstructionError
from sightline.geometry.lens import pixels
from sightline.geometry.rigid import inverse, moved
from sightline.geometry.umeyama import scale_of, seen_from, umeyama
from sightline.model.lens import Lens
from sightline.model.scene import Scale
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.sfm import Sfm

LENS = Lens.pinhole(400, 300, np.array([[380.0, 0, 200], [0, 380, 150], [0, 0, 1]]))


def never():
    return False


def silent(step, done, total):
    pass


def made(shots, **options):
    return Sfm(**{"quality": "sparse", **options}).reconstruct(shots, silent, never)


def eyes(poses):
    return np.array([inverse(pose)[:3, 3] for pose in poses])


def wrong(scene, truth):
    """Degrees by which cameras are turned wrongly, and how far they are off, as a share of the whole."""
    found, there = list(scene.views.cam_from_scene), eyes(truth)
    world_from_scene = umeyama(eyes(found), there)
    off = moved(world_from_scene, eyes(found)) - there
    turned = [seen_from(a, world_from_scene)[:3, :3] @ b[:3, :3].T for a, b in zip(found, truth, strict=True)]
    cosines = [(np.trace(turn) - 1) / 2 for turn in turned]
    return np.degrees(np.arccos(np.clip(cosines, -1, 1))), np.linalg.norm(off, axis=1) / np.ptp(there, axis=0).max()


@pytest.fixture(scope="module")
def plain(corner):
    """The scene from pictures alone."""
    shots, truth = corner()
    return made(shots), truth


def test_all_cameras_find_their_place(plain):
    scene, truth = plain
    turned_deg, off = wrong(scene, truth)
    assert scene.views.is_registered.all()
    assert np.median(turned_deg) < 0.2
    assert np.median(off) < 0.005


def test_the_focal_length_is_found(plain):
    scene, _ = plain
    assert len(scene.lenses) == 1
    assert scene.lenses[0].focal_px[0] == pytest.approx(380, rel=0.03)


def test_points_are_where_their_pictures_see_them(plain):
    scene, _ = plain
    sparse = scene.sparse
    assert len(sparse) > 500
    point = np.repeat(np.arange(len(sparse)), np.diff(sparse.track_start))
    for view in range(len(scene.views)):
        mine = sparse.track_view == view
        seen = moved(scene.views.cam_from_scene[view], sparse.xyz_scene[point[mine]])
        off = np.linalg.norm(pixels(scene.lenses[0], seen) - sparse.track_xy_px[mine], axis=1)
        assert np.median(off) < 0.5
        assert off.max() < 5


def test_without_positions_the_first_camera_is_the_frame_and_the_unit_is_nobodys(plain):
    scene, _ = plain
    assert scene.scale is Scale.UNKNOWN
    assert np.allclose(scene.views.cam_from_scene[0], np.eye(4), atol=1e-9)
    assert np.linalg.norm(scene.sparse.xyz_scene, axis=1).mean() == pytest.approx(1)


def test_the_same_pictures_give_the_same_scene_to_the_last_bit(plain, corner):
    scene, _ = plain
    again = made(corner()[0])
    assert np.array_equal(scene.views.cam_from_scene, again.views.cam_from_scene)
    assert np.array_equal(scene.sparse.xyz_scene, again.sparse.xyz_scene)


def off_the_walls_m(scene):
    """How far each point is from the nearest of the room's floor and walls."""
    return np.abs(scene.sparse.xyz_scene).min(axis=1)


@pytest.mark.parametrize(
    ("known", "unit", "scale"), [({"lens": LENS}, None, Scale.POSES), ({}, Scale.UNKNOWN, Scale.UNKNOWN)]
)
def test_given_poses_and_their_unit_stay_as_they_are(corner, known, unit, scale):
    shots, truth = corner(lambda pose: {"cam_from_world": pose, **known})
    scene = made(Shots(shots.shots, unit=unit))
    assert (scene.scale, scene.made_by.settings["mapper"]) == (scale, "given")
    assert np.allclose(scene.views.cam_from_scene, truth, atol=1e-9)
    assert len(scene.sparse) > 500
    assert np.median(off_the_walls_m(scene)) < 0.01
    assert scene.lenses[0].focal_px[0] == pytest.approx(380, rel=0.005)


def test_pictures_without_a_pose_find_their_places_among_those_with_one(corner):
    shots, truth = corner()
    known = [
        Shot(s.name, s.read, cam_from_world=pose if n in {1, 4} else None)
        for n, (s, pose) in enumerate(zip(shots.shots, truth, strict=True))
    ]
    scene = made(Shots(tuple(known)))
    assert scene.scale is Scale.POSES
    assert np.allclose(scene.views.cam_from_scene[[1, 4]], [truth[1], truth[4]], atol=1e-9)
    assert np.abs(eyes(scene.views.cam_from_scene) - eyes(truth)).max() < 0.03
    assert np.median(off_the_walls_m(scene)) < 0.02


def test_poses_of_other_pictures_fail_and_say_so(corner):
    shots, truth = corner()
    swapped = [
        Shot(s.name, s.read, lens=LENS, cam_from_world=p) for s, p in zip(shots.shots, reversed(truth), strict=True)
    ]
    with pytest.raises(ReconstructionError, match=r"the poses given fit \d+% of the pairs"):
        made(Shots(tuple(swapped)))


def test_positions_from_gps_give_metres_though_one_is_wrong(corner):
    def known(pose):
        eye = inverse(pose)[:3, 3]
        return {"eye_world_m": eye + (100.0 if eye[0] > 5.6 else 0.0)}

    shots, truth = corner(known)
    scene = made(Shots(shots.shots, origin=(51.0, 7.0, None)))
    assert scene.scale is Scale.GPS
    assert scene.made_by.settings["origin"]["latitude_deg"] == 51.0
    assert np.median(np.abs(eyes(scene.views.cam_from_scene) - eyes(truth))) < 0.05


def test_a_known_lens_stays_as_it_is(corner):
    shots, truth = corner(lambda _: {"lens": LENS})
    scene = made(shots)
    assert np.array_equal(scene.lenses[0].params, LENS.params)
    assert np.median(wrong(scene, truth)[0]) < 0.2


def test_every_picture_may_have_its_own_lens(corner):
    shots, _ = corner(lambda _: {"focal_px": 390.0})
    scene = made(shots, sharing="each")
    assert len(scene.lenses) == len(shots)
    assert np.median([lens.focal_px[0] for lens in scene.lenses]) == pytest.approx(380, rel=0.05)


def test_a_sequence_needs_no_more_than_its_neighbours(corner):
    shots, truth = corner(is_sequence=True)
    assert np.median(wrong(made(shots), truth)[0]) < 0.2


def test_pictures_of_different_things_fail_and_say_why(unrelated):
    with pytest.raises(ReconstructionError, match="of 6 pictures found a place: they overlap too little") as caught:
        made(unrelated)
    assert len(caught.value.scene.views) == 6


def test_bare_walls_fail_and_say_why():
    grey = np.full((300, 400, 3), 128, np.uint8)
    shots = Shots(tuple(Shot(f"{i}.png", grey.copy) for i in range(4)))
    with pytest.raises(ReconstructionError, match=r"4 of them, 0\.png first, show too little detail"):
        made(shots)


def test_a_camera_that_only_turns_fails_and_is_told_so(turned):
    with pytest.raises(ReconstructionError, match="only turned on the spot") as caught:
        made(turned, features=1500)
    assert len(caught.value.scene.views) == 4


def test_two_pictures_make_a_scene(corner):
    shots, truth = corner(lambda _: {"lens": LENS}, order=[2, 4])
    scene = made(shots)
    assert scene.views.is_registered.all()
    moved_by = scene.views.cam_from_scene[1] @ inverse(scene.views.cam_from_scene[0])
    true = truth[1] @ inverse(truth[0])
    assert np.allclose(moved_by[:3, :3], true[:3, :3], atol=0.005)
    shift, true_shift = (m[:3, 3] / np.linalg.norm(m[:3, 3]) for m in (moved_by, true))
    assert shift @ true_shift > np.cos(np.radians(2))


def test_one_picture_is_no_scene(corner):
    shots, _ = corner(order=[0])
    with pytest.raises(ReconstructionError, match="1 pictures; it takes two"):
        made(shots)


def test_pictures_of_another_place_are_listed_without_one(corner, unrelated):
    shots, truth = corner()
    mixed = Shots((*shots.shots, Shot("stranger.png", unrelated.shots[0].read)))
    scene = made(mixed)
    assert scene.views.is_registered.tolist() == [True] * len(truth) + [False]
    assert np.isnan(scene.views.cam_from_scene[-1]).all()


def test_it_ends_when_asked(corner):
    with pytest.raises(EngineError, match="stopped"):
        Sfm().reconstruct(corner()[0], silent, lambda: True)


def test_it_tells_how_far_it_is(corner):
    told = []
    Sfm(quality="sparse").reconstruct(corner()[0], lambda *what: told.append(what), never)
    assert ("features", 8, 8) in told
    assert ("matching", 28, 28) in told
    assert told[-1] == ("mapping", 8, 8)


def test_names_are_not_repeated():
    grey = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"'a\.png' is there twice"):
        Shots((Shot("a.png", grey.copy), Shot("a.png", grey.copy)))


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(OptionError, match="features = 5"):
        Sfm(features=5)
    with pytest.raises(OptionError, match="none without depth"):
        Sfm(minutes=5.0, quality="sparse")


def test_metres_hold_though_the_positions_are_on_a_line(corner):
    shots, truth = corner()
    first, last = eyes(truth)[[0, -1]]
    share = [np.dot(eye - first, last - first) / np.dot(last - first, last - first) for eye in eyes(truth)]
    known = [
        Shot(s.name, s.read, eye_world_m=first + t * (last - first)) for s, t in zip(shots.shots, share, strict=True)
    ]
    scene = made(Shots(tuple(known)))
    found = eyes(scene.views.cam_from_scene)
    assert scene.scale is Scale.GPS
    assert np.linalg.norm(found[-1] - found[0]) == pytest.approx(np.linalg.norm(last - first), rel=0.1)
    assert scale_of(umeyama(found, eyes(truth))) == pytest.approx(1, rel=0.1)
    assert "on a line" in scene.made_by.settings["scale_notes"][0]


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_places_the_larger_is_used_and_the_other_told(corner, other_room, is_first):
    shots, truth = corner()
    both = (shots.shots, other_room) if is_first else (other_room, shots.shots)
    scene = made(Shots(sum(both, ())), features=1500)
    mine = np.isin(scene.views.names, [shot.name for shot in shots.shots])
    assert scene.views.is_registered.tolist() == mine.tolist()
    assert scene.made_by.settings["other_models"] == [[shot.name for shot in other_room]]
    assert np.isnan(scene.views.cam_from_scene[~mine]).all()
    found = eyes(scene.views.cam_from_scene[mine])
    off = np.linalg.norm(moved(umeyama(found, eyes(truth)), found) - eyes(truth), axis=1)
    assert np.median(off) / np.ptp(eyes(truth), axis=0).max() < 0.005
