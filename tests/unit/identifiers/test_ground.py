"""Who is who across cameras, from places on the ground: on made-up yards with known answers, and on a real square."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.errors import OptionError
from sightline.identifiers.ground import Ground
from sightline.model.identities import Sightings

BEARINGS = np.deg2rad([0, 70, 140, 220])


def yard(paths_m, *, step_s=0.5, jitter_m=(0.03, 0.3), missed=0.2, n_false=0, seed=0, cameras=4, tracked=False):
    """Sightings of people on ``paths_m`` (people, moments, 2; NaN: absent), and whose each is; -1: nobody's.

    Cameras know the bearing well and the distance badly.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for moment in range(paths_m.shape[1]):
        for camera in range(cameras):
            turn = np.array([[c := np.cos(BEARINGS[camera]), -(s := np.sin(BEARINGS[camera]))], [s, c]])
            cov = turn @ np.diag(np.square(jitter_m)) @ turn.T
            there = [k for k in range(len(paths_m)) if np.isfinite(paths_m[k, moment, 0]) and rng.random() >= missed]
            places = [paths_m[k, moment] + turn @ (rng.normal(0, 1, 2) * jitter_m) for k in there]
            made_up = rng.poisson(n_false)
            places += list(rng.uniform(-10, 10, (made_up, 2)))
            for who, place in zip(there + [-1] * made_up, places, strict=True):
                rows.append((camera, moment * step_s, who + 1 if tracked and who >= 0 else -1, place, cov, who))
    camera, t_s, track, xy, cov, who = zip(*rows, strict=True)
    n = len(rows)
    sightings = Sightings(
        tuple("abcd"[:cameras]), np.array(camera), np.array(t_s), np.array(track), np.array(xy), np.array(cov),
        np.ones(n, bool), np.zeros((n, 0)), np.full((n, 4), np.nan),
    )  # fmt: skip
    return sightings, np.array(who)


def strolls(n_people, n_moments, seed=0, step_s=0.5):
    """People who walk about, slowly turning."""
    rng = np.random.default_rng(seed)
    heading = rng.uniform(0, 2 * np.pi, n_people)[:, None] + rng.normal(0, 0.15, (n_people, n_moments)).cumsum(axis=1)
    steps = step_s * np.stack([np.cos(heading), np.sin(heading)], axis=2)
    return rng.uniform(-8, 8, (n_people, 1, 2)) + steps.cumsum(axis=1)


def line(start, velocity, n=20, step_s=0.5):
    return np.array(start, float) + np.arange(n)[:, None] * step_s * np.array(velocity, float)


def same_people(number, who):
    """Whether identities and people correspond, but for a sighting in 50 where two were at the same place."""
    known = (number >= 0) & (who >= 0)
    table = np.zeros((who.max() + 1, number.max() + 1), int)
    np.add.at(table, (who[known], number[known]), 1)
    own = table.argmax(axis=1)
    return len(set(own.tolist())) == len(own) and table.max(axis=1).sum() > 0.98 * table.sum()


def test_strollers_seen_by_four_cameras_keep_their_identities():
    sightings, who = yard(strolls(8, 40, seed=1), seed=1)
    found = Ground().identify(sightings)
    assert same_people(found.number, who)
    assert (found.number >= 0).mean() > 0.97
    assert set(found.number[found.number >= 0].tolist()) == set(range(1, 9))


def test_two_who_cross_are_not_mixed_up():
    sightings, who = yard(np.stack([line([-5, 0], [1, 0]), line([0, -5.2], [0, 1])]), missed=0.1)
    assert same_people(Ground().identify(sightings).number, who)


def test_false_alarms_are_nobodys():
    sightings, who = yard(strolls(5, 40), n_false=0.5)
    number = Ground().identify(sightings).number
    assert (number[who < 0] < 0).mean() > 0.9
    assert len(set(number[number >= 0].tolist())) == 5


@pytest.mark.parametrize(("away", "same"), [(4, True), (40, False)])
def test_who_was_out_of_sight_is_the_same_after_a_moment_but_not_after_long(away, same):
    path = line([-9.0, 0], [1, 0], 60)
    path[10 : 10 + away] = np.nan
    number = Ground().identify(yard(path[None], missed=0.0)[0]).number
    assert (len(set(number.tolist())) == 1) == same


def test_nobody_runs_from_one_end_to_the_other():
    path = line([-9.0, 0], [0.5, 0], 20)
    path[10:] += 8
    assert len(set(Ground().identify(yard(path[None], missed=0.0)[0]).number.tolist())) == 2


def test_paths_are_nearer_the_truth_than_any_sighting_and_know_how_near():
    truth = strolls(8, 40, seed=3)
    sightings, who = yard(truth, seed=3)
    found = Ground().identify(sightings)
    paths = found.paths
    person = {int(found.number[row]): who[row] for row in np.flatnonzero(found.number > 0)}
    moment = np.rint(paths.t_s / 0.5).astype(int)
    off = paths.xy_enu_m - truth[[person[n] for n in paths.number.tolist()], moment]
    assert np.median(np.linalg.norm(off, axis=1)) < 0.08
    squared = np.einsum("ni,nij,nj->n", off, np.linalg.inv(paths.cov_enu_m2), off)
    assert (squared < 4.6).mean() > 0.85  # 90 % of a normal law
    speeds = np.linalg.norm(paths.velocity_enu_mps, axis=1)
    assert abs(np.median(speeds) - 1) < 0.1


def test_paths_have_no_gaps_and_say_where_they_were_filled():
    path = line([-5.0, 0], [1, 0], 20)
    path[8:11] = np.nan
    paths = Ground().identify(yard(path[None], missed=0.0)[0]).paths
    np.testing.assert_allclose(np.diff(paths.t_s), 0.5)
    np.testing.assert_array_equal(paths.n_cameras[8:11], 0)
    np.testing.assert_allclose(paths.xy_enu_m[8:11], line([-5.0, 0], [1, 0])[8:11], atol=0.3)


def test_the_order_of_sightings_does_not_matter():
    sightings, _ = yard(strolls(5, 20), n_false=0.2)
    order = np.random.default_rng(1).permutation(len(sightings))
    number = Ground().identify(sightings).number
    np.testing.assert_array_equal(Ground().identify(sightings.rows(order)).number, number[order])


def test_a_map_with_its_origin_elsewhere_gives_the_same_identities():
    sightings, _ = yard(strolls(5, 20), n_false=0.2)
    far = np.array([4e5, -5.6e6])
    columns = {name: getattr(sightings, name) for name in Sightings.__slots__}
    moved = Sightings(**(columns | {"xy_enu_m": sightings.xy_enu_m + far}))
    here, there = Ground().identify(sightings), Ground().identify(moved)
    np.testing.assert_array_equal(here.number, there.number)
    np.testing.assert_allclose(there.paths.xy_enu_m - far, here.paths.xy_enu_m, atol=1e-6)


def test_what_a_cameras_tracker_knows_is_used():
    """Two walk side by side, closer than cameras can tell at any one moment; over all moments they can."""
    pair = np.stack([line([-5, 0], [1, 0], 40), line([-5, 0.4], [1, 0], 40)])
    bare, _ = yard(pair, jitter_m=(0.25, 0.25), missed=0.1)
    told, who = yard(pair, jitter_m=(0.25, 0.25), missed=0.1, tracked=True)
    assert not same_people(Ground().identify(bare).number, who)
    assert same_people(Ground().identify(told).number, who)


def test_a_tracker_that_mixes_people_up_is_not_believed():
    pair = np.stack([line([-5, 0], [1, 0], 40), line([-5, 3], [1, 0], 40)])
    told, who = yard(pair, missed=0.1, tracked=True)
    columns = {name: getattr(told, name) for name in Sightings.__slots__}
    mixed = (told.camera == 0) & (told.t_s > 10)
    track = np.where(mixed, 3 - told.track, told.track)
    assert same_people(Ground().identify(Sightings(**(columns | {"track": track}))).number, who)


def test_cameras_whose_calibrations_are_off_by_half_a_metre_agree():
    sightings, who = yard(strolls(8, 40, seed=1), seed=1)
    off_m = np.array([[0.5, 0], [-0.5, 0.3], [0, -0.6], [0.2, 0.4]])
    columns = {name: getattr(sightings, name) for name in Sightings.__slots__}
    moved = Sightings(**(columns | {"xy_enu_m": sightings.xy_enu_m + off_m[sightings.camera]}))
    found = Ground().identify(moved)
    assert same_people(found.number, who)
    assert (found.number >= 0).mean() > 0.97


def test_cameras_that_were_not_triggered_together_agree():
    sightings, who = yard(strolls(5, 40, step_s=0.3), step_s=0.3)
    columns = {name: getattr(sightings, name) for name in Sightings.__slots__}
    late = Sightings(**(columns | {"t_s": sightings.t_s + 0.013 * sightings.camera}))
    assert same_people(Ground().identify(late).number, who)


@pytest.mark.parametrize("late_s", [-0.6, 0.4])
def test_a_camera_whose_clock_is_off_agrees_once_its_times_are_put_right(late_s):
    truth = strolls(8, 150, seed=2, step_s=0.2)
    sightings, who = yard(truth, seed=2, step_s=0.2, jitter_m=(0.03, 0.1))
    columns = {name: getattr(sightings, name) for name in Sightings.__slots__}
    off = Sightings(**(columns | {"t_s": sightings.t_s + late_s * (sightings.camera == 2)}))
    found = Ground().identify(off)
    assert same_people(found.number, who)
    person = {int(found.number[row]): who[row] for row in np.flatnonzero(found.number > 0)}
    moment = np.rint(found.paths.t_s / 0.2).astype(int).clip(0, 149)
    off_m = found.paths.xy_enu_m - truth[[person[n] for n in found.paths.number.tolist()], moment]
    assert np.median(np.linalg.norm(off_m, axis=1)) < 0.1
    assert found.late_s is not None
    assert found.late_s == pytest.approx([0.0, 0.0, late_s, *[0.0] * (len(found.late_s) - 3)], abs=0.1)


def test_sightings_without_a_place_are_nobodys_and_harm_nothing():
    sightings, _ = yard(strolls(3, 20))
    xy_m = sightings.xy_enu_m.copy()
    xy_m[::7] = np.nan
    columns = {name: getattr(sightings, name) for name in Sightings.__slots__}
    number = Ground().identify(Sightings(**(columns | {"xy_enu_m": xy_m}))).number
    assert (number[::7] == -1).all()
    assert len(set(number.tolist()) - {-1}) == 3


def test_at_25_pictures_a_second_every_tracked_sighting_gets_its_identity_and_bare_ones_do_no_harm():
    paths_m = strolls(4, 250, seed=1, step_s=0.04)
    told, who = yard(paths_m, step_s=0.04, tracked=True)
    number = Ground().identify(told).number
    assert same_people(number, who)
    assert (number >= 0).mean() > 0.99
    keys = np.column_stack([told.camera, told.t_s, number])
    assert len(np.unique(keys, axis=0)) == len(keys)
    bare, who = yard(paths_m, step_s=0.04)
    assert same_people(Ground().identify(bare).number, who)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_next_to_nothing_is_nobody(n):
    sightings, _ = yard(strolls(1, 2))
    found = Ground().identify(sightings.rows(slice(0, n)))
    np.testing.assert_array_equal(found.number, np.full(n, -1))
    assert not len(found.paths)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**16), n_people=st.integers(1, 6), missed=st.floats(0, 0.6), n_false=st.floats(0, 1.5))
def test_nobody_is_twice_in_one_camera_at_one_time(seed, n_people, missed, n_false):
    sightings, _ = yard(strolls(n_people, 12, seed) / 3, missed=missed, n_false=n_false, seed=seed)
    number = Ground(min_moments=1).identify(sightings).number
    mine = number >= 0
    keys = np.column_stack([number, sightings.camera, np.rint(sightings.t_s * 2).astype(int)])[mine]
    assert len(np.unique(keys, axis=0)) == len(keys)


def test_somebody_must_be_seen_once_at_least():
    with pytest.raises(OptionError, match="min_moments=0"):
        Ground(min_moments=0)


@cache
def square(folder):
    """MVDeTr's detections on 40 pictures of WILDTRACK, and the truth in metres."""
    from sightline.locators.homography import Homography
    from sightline.model.tracks import Tracks
    from sightline.model.view import View

    said = json.loads((folder / "MVDeTr/wildtrack_metainfo.json").read_text())["sequence1"]
    boxes = json.loads((folder / "MVDeTr/MVDeTr_test.json").read_text())
    rows = np.array([(int(k), x, y, x + w, y + h, c) for k, v in boxes.items() for x, y, w, h, _, c in v], float)
    views, parts = {}, []
    for camera, px_from_cm in enumerate(said["homography"]):
        mine = rows[rows[:, 5] == camera]
        name, zero = f"c{camera}", np.zeros(len(mine), np.int64)
        views[name] = View(name, 1920, 1080, np.array(px_from_cm) @ np.diag([100.0, 100, 1]))
        seen = Tracks(name, mine[:, 0].astype(int), mine[:, 0] / 2, zero - 1, mine[:, 1:5], zero + 1.0, zero, zero)
        locator = Homography(view=views[name])
        parts.append(Sightings.of(seen, locator.locate(seen), locator.whole(seen.xyxy_px)))
    return Sightings.joined(parts), views


@pytest.mark.shared
def test_on_a_real_square_all_are_told_apart(shared):
    sightings, views = square(shared / "data/tracking")
    paths = Ground(views=views).identify(sightings).paths
    wrong = right = 0
    owner: dict[int, int] = {}
    for k in range(360, 400):
        people = json.loads((shared / f"data/tracking/WILDTRACK/annotations_positions/{k * 5:08d}.json").read_text())
        here = np.flatnonzero(np.rint(paths.t_s * 2) == k)
        for person in people:
            place = np.array([-3 + 0.025 * (person["positionID"] % 480), -9 + 0.025 * (person["positionID"] // 480)])
            off = np.linalg.norm(paths.xy_enu_m[here] - place, axis=1)
            if off.min() < 0.5:
                number = int(paths.number[here[off.argmin()]])
                wrong += owner.get(person["personID"], number) != number
                owner[person["personID"]] = number
                right += 1
    assert right > 890  # of 952 people in pictures
    assert wrong < 12
