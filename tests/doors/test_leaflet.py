"""The page of the drone service's integration guide, unchanged, with real Leaflet in a real browser, on our answer.

``leaflet/display.js`` is the guide's code as it stands there; ``leaflet/leaflet.js`` is Leaflet 1.9.4, which is BSD-2.
"""

import html
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from sightline.cli import app
from sightline.geometry.camera import intrinsics
from sightline.model.lens import Lens
from sightline.simulation.flight.logs import write
from sightline.simulation.flight.paths import FlightPlan
from sightline.simulation.flight.things import paths, seen

HERE = Path(__file__).parent / "leaflet"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PLAN = FlightPlan("line", duration_s=12.0, recorded_s=(2.0, 10.0))


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """What the recipe says of a flight over nine things, a third of them parked."""
    folder = tmp_path_factory.mktemp("flight")
    lens = Lens.pinhole(640, 360, intrinsics(640, 360, 1.2))
    tracks = seen(PLAN, lens, paths(9, PLAN, np.random.default_rng(4)), np.arange(0, 8, 0.2)).tracks
    columns = zip(tracks.frame_index.tolist(), tracks.number.tolist(), tracks.xyxy_px.tolist(), strict=True)
    rows = [{"frame_id": frame, "track_id": number, "bbox": box} for frame, number, box in columns]
    (folder / "tracks.json").write_text(json.dumps({"tracks": rows}))
    write(folder / "log.csv", PLAN.log(), "flight_reader")
    with av.open(str(folder / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for _ in range(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((360, 640, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    words = [folder / "a.mp4", folder / "log.csv", "--tracks", folder / "tracks.json", "--out", folder / "out"]
    words += ["--fps", "5", "--boxes-in", "640x360", "--fov", f"{np.rad2deg(1.2)}", "--export", "csv"]
    done = CliRunner().invoke(app, ["drone", *map(str, words)])
    assert done.exit_code == 0, done.output
    return json.loads((folder / "out" / "positions.json").read_text())


@pytest.fixture(scope="module")
def shown(answer, tmp_path_factory):
    """What the page made of it."""
    if BROWSER is None:
        pytest.skip("no Chromium here")
    folder = tmp_path_factory.mktemp("page")
    for name in ("page.html", "display.js", "leaflet.js"):
        shutil.copy(HERE / name, folder)
    (folder / "answer.js").write_text(f"const data = {json.dumps({'result': {'vggt': answer}})};")
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    page = (folder / "page.html").as_uri()
    dom = subprocess.run([BROWSER, *quiet, page], capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)[1]))


def test_the_guides_page_draws_every_track_without_an_error(answer, shown):
    of_each = Counter(entry["track_id"] for entry in answer["tracks"])
    assert shown["errors"] == []
    assert sorted(map(len, shown["lines"])) == sorted(of_each.values())
    assert len(shown["marks"]) == sum(-(-n // 5) for n in of_each.values())  # every fifth point
    assert shown["drawn"] == len(shown["lines"]) + len(shown["marks"])


def test_what_pops_up_has_numbers_for_parked_things_too(answer, shown):
    assert any(entry["speed_mps"] < 0.1 for entry in answer["tracks"])
    line = r"Track \d+<br>\s*Frame: \d+<br>\s*Speed: [\d.]+ m/s<br>\s*Heading: [\d.]+°<br>\s*Depth: [\d.]+ m"
    assert [mark["text"] for mark in shown["marks"] if not re.fullmatch(line, mark["text"].strip())] == []


def test_home_has_its_mark_what_was_there_before_is_gone_and_the_map_shows_all(answer, shown):
    home = answer["metadata"]["home_position"]
    (mark,) = shown["homes"]
    assert mark["text"] == "Drone Home"
    assert mark["at"] == {"lat": home["latitude"], "lng": home["longitude"]}
    west, south, east, north = shown["bounds"]
    assert all(south <= e["lat"] <= north and west <= e["lon"] <= east for e in answer["tracks"])
    assert north - south < 0.01
