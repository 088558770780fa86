"""Places by depth maps: exact with exact maps, on any ground, and honest about how long a unit is."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.errors import OptionError
from sightline.geometry.camera import intrinsics
from sightline.geometry.rigid import inverse
from sightline.geometry.umeyama import seen_from
from sightline.locators.depth import Depth, agreement
from sightline.locators.doubts import Doubts
from sightline.locators.ground import Ground
from sightline.locators.pointing import pointing
from sightline.locators.rays import ground_places
from sightline.model.lens import Lens
from sightline.model.scene import MadeBy, Maps, Scene, Views
from sightline.simulation.flight.paths import FlightPlan
from sightline.simulation.flight.things import paths, seen, terrain

LENS = Lens.pinhole(1280, 720, intrinsics(1280, 720, np.deg2rad(71.5)))
SMALL = Lens.pinhole(160, 90, intrinsics(160, 90, np.deg2rad(71.5)))
VIEWS_S = np.arange(0.05, 27.9, 3.0)
UNIT_M = 7.3
EXACT = Doubts(gps_m=0.1, height_m=0.1, ground_m=0.1, pitch_rad=1e-4)


def over(plan, flight=None, **options):
    flight = plan.log() if flight is None else flight
    options.setdefault("doubts", EXACT)
    return Ground(
        flight=flight,
        pointing=pointing(flight),
        lens=LENS,
        anchor="foot",
        log_from_video_s=plan.recorded_s[0],
        **options,
    )


def scene_of(plan, shape="flat", wrong=None):
    """What a perfect network would say of a view every three seconds, in a unit and a frame of its own."""
    eyes = over(plan).eyes(VIEWS_S)
    k, n = len(eyes), SMALL.width * SMALL.height
    x, y = np.meshgrid(np.arange(SMALL.width) + 0.5, np.arange(SMALL.height) + 0.5)
    flat = (np.stack([x.ravel(), y.ravel()], axis=1) - SMALL.centre_px) / SMALL.focal_px
    row = np.repeat(np.arange(k), n)
    ground = 0.0 if shape == "flat" else terrain(shape, 10.0, 400.0)
    xyz, _ = ground_places(np.tile(flat, (k, 1)), SMALL.focal_px, eyes, row, ground, EXACT)
    depth_m = np.einsum("ni,ni->n", xyz - eyes.eye_enu_m[row], eyes.enu_from_cam[row, :, 2]).reshape(k, 90, 160)
    poses = np.tile(np.eye(4), (k, 1, 1))
    poses[:, :3, :3] = eyes.enu_from_cam
    poses[:, :3, 3] = eyes.eye_enu_m
    turn = np.diag([0.0, 0, 0, 1.0])
    turn[:3, :3] = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]]) / UNIT_M
    turn[:3, 3] = [3.0, -2.0, 1.0]
    cameras = np.array([seen_from(inverse(pose), turn) for pose in poses])
    depth = (depth_m / UNIT_M).astype(np.float32)
    depth = depth if wrong is None else wrong(depth)
    names = tuple(f"{number}.png" for number in range(k))
    return Scene(
        (SMALL,),
        Views(names, np.zeros(k, np.int64), cameras, np.ones(k, bool)),
        MadeBy("perfect", "0"),
        tuple(Maps(SMALL, depth=one) for one in depth),
    )


def things(plan, shape="flat", t_s=VIEWS_S):
    return seen(plan, LENS, paths(12, plan, np.random.default_rng(1)), t_s, shape)


@pytest.mark.parametrize("path", ["hover", "line", "orbit", "climb"])
def test_with_exact_depth_places_are_exact_to_centimetres(path):
    plan = FlightPlan(path)
    there = things(plan)
    deep = Depth(scene=scene_of(plan), t_s=VIEWS_S, over=over(plan))
    found = deep.locate(there.tracks)
    assert deep.size.metres == pytest.approx(UNIT_M, rel=3e-3)
    assert len(there.tracks) > 25
    assert found.is_known.mean() > 0.9
    off = np.linalg.norm(found.xyz_enu_m - there.xyz_enu_m, axis=1)[found.is_known]
    assert np.median(off) < 0.02
    assert off.max() < 0.3  # at the edge of the picture there is nothing to lie between
    assert not deep.size.warnings


@pytest.mark.parametrize("shape", ["slope", "hill"])
def test_where_the_ground_is_not_level_depth_is_right_and_level_ground_is_not(shape):
    plan = FlightPlan("orbit", height_m=60.0)
    there = things(plan, shape)
    level = over(plan, doubts=Doubts(gps_m=0.3))  # of the ground it only knows roughly how far it is
    deep = Depth(scene=scene_of(plan, shape), t_s=VIEWS_S, over=level)
    off, off_level = (
        np.nanmedian(np.linalg.norm(found.xyz_enu_m - there.xyz_enu_m, axis=1))
        for found in (deep.locate(there.tracks), level.locate(there.tracks))
    )
    assert off < 0.4 * off_level
    assert deep.size.metres == pytest.approx(UNIT_M, rel=0.02)


def test_a_hovering_aircraft_is_told_by_the_ground_and_a_climbing_one_by_both():
    still, climbing = FlightPlan("hover"), FlightPlan("climb", height_m=90.0)
    size = Depth(scene=scene_of(still), t_s=VIEWS_S, over=over(still)).size
    assert np.isinf(size.by_flight.sd)
    assert np.isnan(size.apart)
    assert size.by_ground.metres == pytest.approx(UNIT_M, rel=3e-3)
    size = Depth(scene=scene_of(climbing), t_s=VIEWS_S, over=over(climbing)).size
    assert size.by_flight.metres == pytest.approx(UNIT_M, rel=3e-3)
    assert size.sd < min(size.by_flight.sd, size.by_ground.sd)


def test_without_ground_in_sight_the_way_flown_tells():
    plan = FlightPlan("line", speed_mps=8.0)
    deep = Depth(scene=scene_of(plan), t_s=VIEWS_S, over=over(plan, ground=plan.height_m + 1.0))
    assert np.isinf(deep.size.by_ground.sd)
    assert deep.size.metres == pytest.approx(UNIT_M, rel=1e-3)


def test_a_wrong_height_of_the_ground_is_found_out():
    plan = FlightPlan("line", speed_mps=8.0)
    size = Depth(scene=scene_of(plan), t_s=VIEWS_S, over=over(plan, ground=20.0)).size
    assert size.apart > 3
    assert "height above the ground" in size.warnings[0]
    assert size.sd > 0.1


def test_how_uneven_depth_is_makes_places_less_sure():
    plan, rng = FlightPlan("orbit"), np.random.default_rng(0)
    there = things(plan)
    ours = over(plan)
    even = Depth(scene=scene_of(plan), t_s=VIEWS_S, over=ours)
    rough = Depth(
        scene=scene_of(plan, wrong=lambda depth: depth * rng.normal(1, 0.05, (len(depth), 1, 1)).astype(np.float32)),
        t_s=VIEWS_S,
        over=ours,
    )
    assert even.size.uneven < 0.01 < rough.size.uneven
    assert 0.02 < rough.size.uneven < 0.1
    found = rough.locate(there.tracks)
    known = found.is_known
    off = (found.xyz_enu_m - there.xyz_enu_m)[known]
    beside = np.einsum("ni,nij,nj->n", off, np.linalg.inv(found.cov_enu_m2[known]), off)
    assert np.median(beside) < 6  # three squares of normal numbers: 2.4, were they all by chance
    assert np.linalg.eigvalsh(found.cov_enu_m2[known]).min() > 0
    wider = np.trace(found.cov_enu_m2[known].mean(axis=0))
    assert wider > np.trace(even.locate(there.tracks).cov_enu_m2[known].mean(axis=0))


def test_rows_between_views_and_unknown_depth_have_no_place():
    plan = FlightPlan("line")
    there = things(plan, t_s=VIEWS_S[:3] + 0.5)
    scene = scene_of(plan)
    assert not Depth(scene=scene, t_s=VIEWS_S, over=over(plan)).locate(there.tracks).is_known.any()
    half = replace(scene, maps=(None, *scene.maps[1:]))
    there = things(plan, t_s=VIEWS_S[:2])
    found = Depth(scene=half, t_s=VIEWS_S, over=over(plan)).locate(there.tracks)
    assert not found.is_known[there.tracks.frame_index == 0].any()
    assert found.is_known[there.tracks.frame_index == 1].all()


def test_views_may_come_in_any_order():
    plan, order = FlightPlan("orbit"), np.random.default_rng(3).permutation(len(VIEWS_S))
    scene, there = scene_of(plan), things(plan)
    mixed = replace(
        scene,
        views=Views(
            tuple(scene.views.names[k] for k in order), scene.views.lens, scene.views.cam_from_scene[order],
            scene.views.is_registered,
        ),
        maps=tuple(scene.maps[k] for k in order),
    )  # fmt: skip
    straight = Depth(scene=scene, t_s=VIEWS_S, over=over(plan)).locate(there.tracks)
    found = Depth(scene=mixed, t_s=VIEWS_S[order], over=over(plan)).locate(there.tracks)
    np.testing.assert_allclose(found.xyz_enu_m, straight.xyz_enu_m, atol=1e-3)


def test_both_ways_agree_where_both_are_right():
    plan = FlightPlan("orbit")
    there, level = things(plan), over(plan)
    by_depth, by_ground = (
        Depth(scene=scene_of(plan), t_s=VIEWS_S, over=level).locate(there.tracks),
        level.locate(there.tracks),
    )
    both = agreement(by_depth, by_ground)
    assert both.n > 25
    assert both.median_m < both.p90_m < 0.6
    assert abs(both.up_m) < 0.1
    lifted = replace(by_depth, xyz_enu_m=by_depth.xyz_enu_m + np.array([3.0, 4.0, 2.0]))
    assert agreement(lifted, by_depth).median_m == pytest.approx(5.0)
    assert agreement(lifted, by_depth).up_m == pytest.approx(2.0)
    nothing = replace(by_depth, xyz_enu_m=np.full_like(by_depth.xyz_enu_m, np.nan))
    assert agreement(nothing, by_ground).n == 0


def test_what_cannot_be_used_is_told():
    plan = FlightPlan("hover")
    scene = scene_of(plan)
    with pytest.raises(OptionError, match="2 times for 10 views"):
        Depth(scene=scene, t_s=VIEWS_S[:2], over=over(plan))
    with pytest.raises(OptionError, match="no depth maps"):
        Depth(scene=replace(scene, maps=()), t_s=VIEWS_S, over=over(plan))
    with pytest.raises(OptionError, match="nothing tells how long the scene's unit is"):
        Depth(scene=scene, t_s=VIEWS_S, over=over(plan, ground=1000.0))
