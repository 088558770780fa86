"""``sightline run``: a whole site from the command line."""

import json
import re

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from pyarrow.compute import greater as pc_greater

from sightline.cli.run import _name
from sightline.simulation import simulate, write


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("yard")
    write(simulate(seed=3, n_people=4, n_vehicles=0, n_cameras=2, duration_s=6.0, fps=5.0, size=(320, 180)), folder)
    return folder


def test_a_site_is_watched_and_everybody_has_a_path(sightline, yard, tmp_path):
    said = sightline("run", yard / "site.toml", "--fps", "5", "--detector", "motion", "-o", tmp_path / "out", "--json")
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert told["moments"] == 30
    table = pq.read_table(tmp_path / "out" / "sightings.parquet")
    assert len(table) == told["sightings"] > 0
    paths = pc.read_csv(tmp_path / "out" / "paths.csv")
    assert len(set(paths["global_id"].to_pylist())) == told["identities"]
    exported = sightline("export", tmp_path / "out" / "paths.csv", tmp_path / "people.geojson")
    assert exported.returncode == 0, exported.stderr
    (east_m, north_m), (lon, lat) = (
        (paths[x][0].as_py(), paths[y][0].as_py()) for x, y in (("x_m", "y_m"), ("lon_deg", "lat_deg"))
    )
    assert (north_m, east_m) == pytest.approx(((lat - 46.5191) * 111_170, (lon - 6.6323) * 76_750), abs=0.05)
    first = json.loads((tmp_path / "people.geojson").read_text())["features"][0]
    assert first["geometry"]["coordinates"][0][:2] == pytest.approx([lon, lat], abs=1e-6)
    page = (tmp_path / "out" / "report.html").read_text()
    known = table.filter(pc_greater(table["identity"], 0))
    pairs = set(zip(known["identity"].to_pylist(), known["camera"].to_pylist(), strict=True))
    assert set(re.findall(r'alt="(\d+) in (\w+)"', page)) == {(str(who), camera) for who, camera in pairs}
    before = (tmp_path / "out" / "seen-1.parquet").stat().st_mtime_ns
    again = sightline("run", yard / "site.toml", "--fps", "5", "--detector", "motion", "-o", tmp_path / "out", "--json")
    assert json.loads(again.stdout) == told
    assert (tmp_path / "out" / "seen-1.parquet").stat().st_mtime_ns == before


def test_a_run_is_called_after_its_site(tmp_path):
    assert _name(tmp_path / "yard" / "site.toml") == "yard"
    assert _name(tmp_path / "gate.toml") == "gate"


def test_what_cannot_be_run_is_said_in_a_line(here, yard, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    said = here("run", yard / "site.toml", "-o", tmp_path / "mine")
    assert said.returncode == 2
    assert "holds no earlier run" in said.stderr
    (tmp_path / "empty.toml").write_text('id = "empty"\n[[cameras]]\nid = "a"\n')
    assert "has no videos" in here("run", tmp_path / "empty.toml").stderr
    (tmp_path / "gone.toml").write_text('id = "gone"\n[[cameras]]\nid = "a"\nvideos = ["no.mp4"]\n')
    said = here("run", tmp_path / "gone.toml")
    assert (said.returncode, said.stderr.count("\n")) == (2, 1)
    assert "no.mp4" in said.stderr
