"""``sightline drone`` as a user meets it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from sightline.cli import app
from sightline.errors import FormatError, OptionError, SourceError
from sightline.formats.scenes import npz
from sightline.formats.tracking_json import TrackingJson
from sightline.wiring import build

from .flown import FOV_DEG, FPS, GIMBAL_OFF, flown, scene_of, video


@pytest.fixture(scope="module")
def flight(tmp_path_factory):
    """A flight whose gimbal is 165 degrees off."""
    return flown(tmp_path_factory.mktemp("flight"), faults=GIMBAL_OFF)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Runs the command without the cost of a process."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["drone", *map(str, words)])


@pytest.fixture
def place(ask, flight):
    """The same with all that is needed."""

    def call(*words, tracks=None):
        return ask(flight.video, flight.log, "--tracks", tracks or flight.tracks, "--fov", FOV_DEG, *words)

    return call


def test_everything_is_placed_and_told(place, flight, tmp_path):
    done = place("--fps", 5, "--export", "csv,geojson")
    assert done.exit_code == 0, done.output
    assert f"placed {len(flight.truth.tracks)} of" in " ".join(done.stdout.split())
    assert "off by -165.0" in done.stdout
    assert "taken out" in done.stderr
    answer = json.loads((tmp_path / "flight-places" / "positions.json").read_text())
    assert np.median(flight.errors_m(answer["tracks"])) < 2.0
    assert len((tmp_path / "flight-places" / "positions.csv").read_text().splitlines()) == len(flight.truth.tracks) + 1
    assert json.loads((tmp_path / "flight-places" / "positions.geojson").read_text())["type"] == "FeatureCollection"
    run = json.loads((tmp_path / "flight-places" / "run.json").read_text())
    assert run["options"]["fov_deg"] == FOV_DEG
    assert run["unplaced"] == {}
    again = place("--fps", 5)
    assert isinstance(again.exception, SourceError)
    assert "--force" in str(again.exception)


@pytest.mark.parametrize(("name", "suffix"), [("mot", "txt"), ("csv", "csv"), ("parquet", "parquet")])
def test_tracks_may_come_in_any_format(place, flight, tmp_path, name, suffix):
    tracks = replace(TrackingJson(fps=5.0).read(flight.tracks), extra={})
    path = tmp_path / f"tracks.{suffix}"
    build("format", name, {}).write(tracks, path)
    size = ("--boxes-in", "1280x720")
    done = place("--fps", 5, "--json", *size, tracks=path)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["placed"] == len(tracks)


def test_a_bare_list_with_ids_is_understood(place, flight, tmp_path):
    entries = json.loads(flight.tracks.read_text())["tracks"]
    for entry in entries:
        entry["id"] = entry.pop("track_id")
    (tmp_path / "bare.json").write_text(json.dumps(entries))
    done = place("--fps", 5, tracks=tmp_path / "bare.json")
    assert done.exit_code == 0, done.output
    answer = json.loads((tmp_path / "flight-places" / "positions.json").read_text())["tracks"]
    assert {one["track_id"] for one in answer} == {one["id"] for one in entries}
    assert all(one["id"] == one["track_id"] for one in answer)


def test_the_lens_is_asked_for_where_nobody_knows_it(ask, flight):
    done = ask(flight.video, flight.log, "--tracks", flight.tracks, "--fps", 5)
    assert isinstance(done.exception, OptionError)
    assert "fov_deg" in str(done.exception)
    assumed = ask(
        flight.video, flight.log, "--tracks", flight.tracks, "--fps", 5, "--option", "assume_lens=1", "--json"
    )
    assert json.loads(assumed.stdout)["lens_from"] == "assumed"
    assert "the camera's lens is not known" in assumed.stderr + assumed.stdout


@pytest.mark.parametrize(
    ("words", "kind", "why"),
    [
        (("--fps", 30), None, "is tracking_fps right"),
        (("--fps", 2), FormatError, r"give tracking_fps \(5\.00 would fit\)"),
        (("--fps", 5, "--recording", 2), OptionError, "the log has 1"),
        (("--fps", 5, "--time-offset", "soon"), OptionError, "time_offset: .*valid number.*or give auto"),
        (("--fps", 5, "--boxes-in", "1280"), OptionError, "'1280' is not WxH, such as 1280x720"),
        (("--fps", 5, "--set", "source.fps=2"), OptionError, "KIND one of detector, tracker, stabilizer"),
        (("--fps", 5, "--time-offset", "500"), FormatError, "the log is silent"),
        (("--fps", 5, "--option", "yaw=3"), OptionError, "there are: fps, tracking_fps"),
        (("--fps", 5, "--option", "doubts.colour=3"), OptionError, "there are: gps_m, height_m"),
        (("--fps", 5, "--boxes-in", "320x180"), FormatError, "beyond pictures of 320 x 180"),
        (("--fps", 5, "--export", "shp"), OptionError, "there are: csv"),
        (("--fps", 5, "--dem", "no.tif"), FileNotFoundError, "no.tif"),
    ],
)
def test_what_does_not_fit_is_named_with_what_to_do(place, words, kind, why):
    done = place(*words)
    if kind is None:
        assert why in done.stderr
    else:
        assert isinstance(done.exception, kind), done.output
        assert done.exception is not None
        with pytest.raises(kind, match=why):
            raise done.exception


def test_a_calibrated_lens_places_as_the_same_lens_by_its_angle(ask, flight):
    focal = 640 / np.tan(np.deg2rad(FOV_DEG) / 2)
    words = (flight.video, flight.log, "--tracks", flight.tracks, "--fps", 5, "--json", "--force")
    told = f"lens=RADIAL 1280 720 {focal} 640 360 0 0"
    assert json.loads(ask(*words, "--option", told).stdout)["fov_deg"] == pytest.approx(FOV_DEG, abs=0.01)
    for wrong in ("FISH 1 2", "RADIAL 1280 720 5", "RADIAL wide 720 5", "RADIAL 1280 720 0 1 1 1 1"):
        assert isinstance(ask(*words, "--option", f"lens={wrong}").exception, OptionError)


def test_a_scene_with_depth_places_things_and_is_held_against_the_ground(place, flight, tmp_path):
    npz.write(scene_of(flight.plan), tmp_path / "scene.npz")
    done = place("--fps", 5, "--scene", "scene.npz", "--json")
    assert done.exit_code == 0, done.output
    depth = json.loads(done.stdout)["depth"]
    assert depth["metres_per_unit"] == pytest.approx(10.0, rel=0.02)
    assert depth["rows_by_both"] == np.isin(flight.truth.tracks.frame_index, np.arange(0, 60, 2 * FPS)).sum()
    assert depth["apart_median_m"] < 1.0
    answer = json.loads((tmp_path / "flight-places" / "positions.json").read_text())
    assert answer["metadata"]["depth_source"].startswith("scene")
    scene = scene_of(flight.plan)
    npz.write(replace(scene, views=replace(scene.views, names=tuple("abcdef"))), tmp_path / "scene.npz")
    unnamed = place("--fps", 5, "--scene", "scene.npz", "--force")
    assert "not named frame_NUMBER" in str(unnamed.exception)


def test_a_log_of_another_flight_is_refused(ask, flight, tmp_path):
    short = video(tmp_path / "short.mp4", 17.5)
    done = ask(short, flight.log, "--tracks", flight.tracks, "--fov", FOV_DEG, "--fps", 5)
    assert isinstance(done.exception, FormatError)
    assert "is it the log of this flight?" in str(done.exception)
