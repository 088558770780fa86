"""The made-up site as a whole: same seed, same world; what is said of it is so."""

import json
import threading

import av
import numpy as np
import pytest

from sightline.formats.mot import Mot
from sightline.formats.parquet import Parquet
from sightline.geometry.warp import warped
from sightline.simulation import Plan, Simulation, clearly_seen, simulate, write

SMALL = {"n_people": 5, "n_vehicles": 2, "n_cameras": 2, "duration_s": 1.0, "fps": 5.0, "size": (192, 108)}


@pytest.fixture(scope="module")
def default_truth():
    """The truth of all cameras of the default simulation, at 5 pictures in 4 seconds, and small."""
    world = simulate(fps=1.25, n_cameras=3, size=(256, 144))
    return world, {camera.name: world.truth(camera.name) for camera in world.cameras}


def test_the_same_seed_gives_the_same_bytes():
    one, other = simulate(seed=4, **SMALL), simulate(seed=4, **SMALL)
    for a, b in zip(one.frames("cam2"), other.frames("cam2"), strict=True):
        assert a.rgb.tobytes() == b.rgb.tobytes()
        assert (a.moment.index, a.moment.t_s) == (b.moment.index, b.moment.t_s)
    first, second = one.truth("cam2"), other.truth("cam2")
    assert first.xyxy_px.tobytes() == second.xyxy_px.tobytes()


def test_reading_again_gives_the_same_again_and_in_any_order():
    world = simulate(seed=4, **SMALL)
    frames = [frame.rgb.tobytes() for frame in world.frames("cam1")]
    assert frames[3] == world.shot("cam1", 3).rgb.tobytes()
    assert frames == [frame.rgb.tobytes() for frame in world.frames("cam1")]


def test_another_seed_gives_another_day():
    one, other = (simulate(seed=seed, **SMALL) for seed in (0, 1))
    assert not np.array_equal(one.trajectories.xy_enu_m, other.trajectories.xy_enu_m)
    assert one.looks != other.looks


def test_nobody_at_all_is_fine(tmp_path):
    world = simulate(n_people=0, n_vehicles=0, n_cameras=1, duration_s=0.4, size=(192, 108))
    assert sum(1 for _ in world.frames("cam1")) == 5
    assert len(clearly_seen(world.truth("cam1"))) == 0
    write(world, tmp_path)
    assert len(Mot().read(tmp_path / "cam1.gt.txt")) == 0
    assert len(Parquet().read(tmp_path / "cam1.truth.parquet")) == 0


def test_truth_alone_and_truth_with_pictures_agree():
    world = simulate(seed=2, **SMALL)
    together = [rows for _, rows in world.recording("cam1")]
    alone = world.truth("cam1")
    assert np.array_equal(np.concatenate([rows.xyxy_px for rows in together]), alone.xyxy_px)
    assert np.array_equal(np.concatenate([rows.number for rows in together]), alone.number)


def test_light_changes_and_noise_is_there():
    world = Simulation(Plan(n_people=0, n_vehicles=0, n_cameras=1, duration_s=30.0, fps=1.0, size=(192, 108)))
    frames = np.array([frame.rgb.astype(float) for frame in world.frames("cam1")])
    means = frames.mean(axis=(1, 2, 3))
    assert np.ptp(means) > 2.0
    assert 1.0 < np.diff(frames, axis=0).std() < 8.0


def test_somebody_is_seen_by_two_cameras_at_once(default_truth):
    _, truths = default_truth
    seen = [
        {(int(t), int(who)) for t, who in zip(rows.frame_index, rows.extra["identity"], strict=True)}
        for rows in (clearly_seen(truths["cam1"]), clearly_seen(truths["cam2"]))
    ]
    assert len(seen[0] & seen[1]) > 8


def test_nobody_is_seen_on_the_square_and_in_the_yard_at_once(default_truth):
    _, truths = default_truth
    seen = {
        name: {(int(t), int(who)) for t, who in zip(rows.frame_index, rows.extra["identity"], strict=True)}
        for name, rows in ((name, clearly_seen(rows.rows(rows.label == 0))) for name, rows in truths.items())
    }
    assert not seen["cam2"] & seen["cam3"]
    assert not seen["cam1"] & seen["cam3"]


def test_somebody_leaves_and_returns_with_the_same_identity(default_truth):
    world, truths = default_truth
    there = world.trajectories.present
    returned = np.flatnonzero((~there[:-1] & there[1:]).any(axis=0) & there[0]) + 1
    again = [
        who
        for rows in truths.values()
        for who in returned.tolist()
        if len(set(rows.number[rows.extra["identity"] == who].tolist())) > 1
    ]
    assert again


def test_somebody_hides_and_comes_out_again(default_truth):
    _, truths = default_truth
    hides = 0
    for rows in truths.values():
        for number in np.unique(rows.number):
            visibility = rows.extra["visibility"][rows.number == number]
            hides += bool(
                visibility[0] > 0.5 and visibility.min() < 0.3 and visibility[visibility.argmin() :].max() > 0.6
            )
    assert hides >= 2


def test_foot_points_lead_back_to_the_ground(default_truth):
    """The middle of a whole person's lower edge is where it stands, to half a metre or so."""
    world, truths = default_truth
    rows = truths["cam1"]
    whole_people = (rows.extra["visibility"] > 0.98) & (rows.label == 0) & (rows.xyxy_px[:, 3] < 179)
    box = rows.xyxy_px[whole_people]
    foot = np.stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]], axis=1)
    off = warped(world.map_from_px("cam1"), foot) - rows.extra["ground_enu_m"][whole_people, :2]
    assert len(off) > 15
    assert np.median(np.linalg.norm(off, axis=1)) < 0.6


def test_files_hold_what_was_simulated(tmp_path):
    world = simulate(seed=3, **SMALL)
    reports = []
    files = write(world, tmp_path, progress=lambda *said: reports.append(said))
    assert sorted(path.name for path in files) == sorted(path.name for path in tmp_path.iterdir())
    assert reports[-1] == ("cam2", 5, 5)
    truth = world.truth("cam1")
    full = Parquet().read(tmp_path / "cam1.truth.parquet")
    assert np.array_equal(full.extra["identity"], truth.extra["identity"])
    assert np.allclose(full.extra["ground_enu_m"], truth.extra["ground_enu_m"])
    text = Mot(fps=5.0).read(tmp_path / "cam1.gt.txt")
    assert np.array_equal(text.frame_index, truth.frame_index)
    assert np.array_equal(text.number, truth.number)
    assert np.abs(text.xyxy_px - truth.xyxy_px).max() < 0.002
    assert np.allclose(text.extra["visibility"], truth.extra["visibility"])
    assert np.array_equal(text.score > 0, truth.extra["visibility"] >= 0.25)


def test_the_video_shows_the_pictures_at_their_times(tmp_path):
    import av

    world = simulate(seed=3, **{**SMALL, "n_cameras": 1})
    write(world, tmp_path)
    with av.open(str(tmp_path / "cam1.mp4")) as video:
        decoded = [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24")) for frame in video.decode(video=0)
        ]
    assert len(decoded) == world.plan.n_frames
    for (t_s, rgb), frame in zip(decoded, world.frames("cam1"), strict=True):
        assert abs(t_s - frame.moment.t_s) < 1e-3
        assert np.abs(rgb.astype(float) - frame.rgb).mean() < 9.0


def test_site_json_holds_poses_and_homographies(tmp_path):
    world = simulate(seed=3, **SMALL)
    write(world, tmp_path)
    about = json.loads((tmp_path / "site.json").read_text())
    said = about["cameras"][1]
    assert np.allclose(said["map_from_px"], world.map_from_px("cam2"))
    assert np.allclose(said["cam_from_enu"], world.cameras[1].cam_from_enu)
    assert about["plan"]["seed"] == 3
    assert set(about["origin"]) == {"lat_deg", "lon_deg"}


def pictures(path):
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(float)


def test_processes_write_the_same_files_as_one(tmp_path):
    world = simulate(seed=3, **SMALL)
    write(world, tmp_path / "one")
    said = []
    write(world, tmp_path / "two", workers=2, progress=lambda *what: said.append(what))
    for path in (tmp_path / "one").iterdir():
        twin = tmp_path / "two" / path.name
        if path.suffix == ".mp4":  # an encoder decides among equals as it likes
            assert np.abs(pictures(path) - pictures(twin)).mean() < 0.2
        elif path.suffix != ".parquet":
            assert path.read_bytes() == twin.read_bytes(), path.name
    assert {("cam1", 5, 5), ("cam2", 5, 5)} <= set(said)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_leaves_no_half_video(tmp_path, workers):
    world = simulate(seed=3, **{**SMALL, "duration_s": 20.0})
    stop = threading.Event()

    def progress(_camera, done, _total):
        if done >= 3:
            stop.set()

    with pytest.raises(KeyboardInterrupt):
        write(world, tmp_path, workers=workers, progress=progress, stopped=stop.is_set)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.png", "movers.csv", "site.json", "site.toml"]
