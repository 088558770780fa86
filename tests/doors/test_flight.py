"""``sightline flight`` as a user meets it."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from typer.testing import CliRunner

from sightline.cli import app
from sightline.errors import FormatError, UnknownEngineError
from sightline.simulation.flight.faults import Faults, faulty
from sightline.simulation.flight.logs import write
from sightline.simulation.flight.paths import FlightPlan


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Runs the command without the cost of a process."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["flight", *map(str, words)])


@pytest.fixture
def log(tmp_path):
    """A flight whose gimbal is 12 degrees off."""
    wrong = Faults(yaw_constant_rad=np.deg2rad(-12.0), blip=True, zeroes=5)
    flight = faulty(FlightPlan("orbit").log(), wrong, np.random.default_rng(0))
    write(tmp_path / "log.csv", flight, "flight_reader")
    return "log.csv"


def test_the_table_tells_what_was_understood(ask, log):
    done = ask(log)
    assert done.exit_code == 0, done.output
    assert "DJI table (Flight Reader)" in done.stdout
    assert "396 of 401 rows" in done.stdout
    assert "recording 1: 28.0 s, from" in done.stdout
    assert "-11.9 degrees off the aircraft's; taken out" in done.stdout
    assert "recording 2" not in done.stdout


def test_machines_get_the_same_as_json(ask, log):
    found = json.loads(ask(log, "--json").stdout)
    assert found["yaw_constant_deg"] == pytest.approx(-12, abs=0.2)
    assert found["positions"] == 396
    assert found["utc_ns"] == pytest.approx(1_779_009_571_701_000_000, abs=1e7)
    assert len(found["recordings"]) == 1


def test_a_page_shows_the_track(ask, log, tmp_path):
    done = ask(log, "--report", "page.html")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "page.html").read_text()
    assert "<svg" in page
    assert "recordings in colour" in page
    assert "taken out" in page


def test_the_way_flown_is_written_for_maps(ask, log, tmp_path):
    done = ask(log, "--way", "way.geojson", "--way", "way.gpx")
    assert done.exit_code == 0, done.output
    (way,) = json.loads((tmp_path / "way.geojson").read_text())["features"]
    assert way["properties"]["class"] == "aircraft"
    assert len(way["geometry"]["coordinates"]) == 396
    assert way["properties"]["times"][0].startswith("2026-05-17T09:19:32.2")
    points = ET.parse(tmp_path / "way.gpx").getroot().findall(".//{*}trkpt")
    assert len(points) == 396
    assert float(points[0].find("{*}ele").text) == pytest.approx(72.0, abs=0.2)
    for other in ("way.csv", "way.points.geojson", "way"):
        assert isinstance(ask(log, "--way", other).exception, FormatError)


def test_subtitles_without_angles_say_what_to_give(ask, tmp_path):
    blocks = [
        f"{k}\n00:00:0{k},000 --> 00:00:0{k},900\n[latitude: 51.4] [longitude: -3.1] [altitude: 30.0]" for k in (1, 2)
    ]
    (tmp_path / "a.SRT").write_text("\n\n".join(blocks) + "\n")
    done = ask("a.SRT")
    assert "give yaw_deg" in done.stdout
    assert "altitude_is" in done.stdout
    assert "30.0 to 30.0 m" in ask("a.SRT", "--altitude-is", "takeoff").stdout


def test_what_is_no_log_is_refused(ask, tmp_path):
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert isinstance(ask("notes.csv").exception, FormatError)
    assert isinstance(ask("notes.csv", "--kind", "mavlink").exception, UnknownEngineError)
    assert isinstance(ask("absent.csv").exception, FileNotFoundError)
