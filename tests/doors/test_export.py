"""``sightline export`` as a user meets it."""

import json
import socket
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

from sightline.cli import app
from sightline.errors import FormatError, OptionError
from sightline.formats.places import About, write
from sightline.model.positions import Origin, Positions


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Runs the command without the cost of a process, beside places of one car."""
    monkeypatch.chdir(tmp_path)
    k = np.arange(4)
    cov = np.tile(np.eye(3), (4, 1, 1))
    places = Positions(
        origin=Origin(51.0, -3.0), frame_index=k, t_s=k / 50, number=0 * k + 1, xyz_enu_m=np.stack([k, k, k], 1) * 1.0,
        cov_enu_m2=cov, velocity_enu_mps=np.ones((4, 3)), cov_velocity_m2ps2=cov,
    )  # fmt: skip
    write(tmp_path / "positions.parquet", places, About(name="clip", utc_ns=1_779_009_571_000_000_000))
    return lambda *words: CliRunner().invoke(app, ["export", "positions.parquet", *map(str, words)])


def test_files_are_written_in_the_format_of_their_ending(ask, tmp_path):
    done = ask("a.geojson", "b.kml", "c.cot.xml")
    assert done.exit_code == 0, done.output
    (feature,) = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert feature["properties"]["times"][0] == "2026-05-17T09:19:31.000Z"
    assert ET.parse(tmp_path / "b.kml").getroot().tag.endswith("kml")
    assert len(ET.parse(tmp_path / "c.cot.xml").getroot()) == 4


def test_events_are_sent_as_if_it_happened_now(ask):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as here:
        here.bind(("127.0.0.1", 0))
        here.settimeout(10)
        done = ask("--send", f"udp://127.0.0.1:{here.getsockname()[1]}", "--now", "--speed", "10")
        assert done.exit_code == 0, done.output
        events = [ET.fromstring(here.recv(9000)) for _ in range(4)]
    assert {event.get("uid") for event in events} == {"clip.1"}
    age = datetime.now(UTC) - datetime.fromisoformat(events[0].get("time"))
    assert abs(age) < timedelta(minutes=5)


def test_what_makes_no_sense_is_refused(ask, tmp_path):
    assert isinstance(ask().exception, OptionError)
    assert isinstance(ask("a.shp").exception, FormatError)
    assert isinstance(ask("--send", "ftp://a:1").exception, OptionError)
    other = CliRunner().invoke(app, ["export", "positions.csv", "a.kml"])
    assert "--export parquet" in str(other.exception)
    (tmp_path / "positions.parquet").write_bytes(b"no table")
    assert isinstance(ask("a.kml").exception, FormatError)
