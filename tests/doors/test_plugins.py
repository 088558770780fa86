"""Engines of another package, found by their entry points: a scratch package, installed as pip would leave it."""

import json
import os
import subprocess
import sys

import pytest

from sightline import ports, wiring
from sightline.errors import OptionError, UnknownEngineError

ENGINES = '''
"""A detector that sees one thing in every picture, and a tracker that follows all it is shown."""

import numpy as np

from sightline.model.detections import Detections
from sightline.model.tracks import Tracks


class Corner:
    def __init__(self, *, side_px: float = 20.0, classes: list[str] | None = None) -> None:
        self.side_px, self.classes = side_px, tuple(classes or ["corner"])

    def detect(self, frames):
        box = np.array([[0.0, 0.0, self.side_px, self.side_px]])
        return [Detections(box, np.ones(1), np.zeros(1, np.int64), self.classes) for _ in frames]


class InOrder:
    def update(self, moment, found):
        n = len(found)
        return Tracks(
            moment.camera, np.full(n, moment.index), np.full(n, moment.t_s), np.arange(1, n + 1), found.xyxy_px,
            found.score, found.label, np.arange(n), found.classes, found.extra,
        )
'''

ENTRY_POINTS = """\
[sightline.detector]
corner = yard_engines:Corner

[sightline.tracker]
in-order = yard_engines:InOrder
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder on the module path that holds the scratch package and its metadata."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "yard_engines.py").write_text(ENGINES)
    info = folder / "yard_engines-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: yard-engines\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


@pytest.fixture
def installed(site, monkeypatch):
    """The scratch package, installed in this process until the test is over."""
    monkeypatch.syspath_prepend(str(site))
    yield
    sys.modules.pop("yard_engines", None)


def test_others_engines_are_listed_after_ours(installed):
    names = wiring.names("detector")
    assert names[: len(wiring.ENGINES["detector"])] == list(wiring.ENGINES["detector"])
    assert names[-1] == "corner"
    assert "in-order" in wiring.names("tracker")


def test_others_engines_are_built_and_their_options_checked(installed):
    detector: ports.Detector = wiring.build("detector", "corner", {"side_px": "30", "classes": ["post"]})
    assert (detector.side_px, detector.classes) == (30.0, ("post",))
    with pytest.raises(OptionError, match=r"detector corner has no option 'side'.*there are: side_px, classes"):
        wiring.build("detector", "corner", {"side": 30})
    with pytest.raises(OptionError, match="option 'side_px' = 'wide'"):
        wiring.build("detector", "corner", {"side_px": "wide"})
    with pytest.raises(OptionError, match="tracker in-order has no option 'iou'; there are: none"):
        wiring.build("tracker", "in-order", {"iou": 0.5})


def test_nothing_is_left_when_the_package_is_gone():
    with pytest.raises(UnknownEngineError, match="no detector 'corner'; there are: motion"):
        wiring.build("detector", "corner", {})


def run(site, folder, *words):
    command = [sys.executable, "-m", "sightline", *map(str, words)]
    more = filter(None, (str(site), os.environ.get("PYTHONPATH")))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(more)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_video_is_tracked_with_others_engines(site, clip, tmp_path):
    engines = ("--stabilizer", "none", "--detector", "corner", "--tracker", "in-order", "--set", "detector.side_px=32")
    done = run(site, tmp_path, "track", clip, "-o", "out", *engines, "--no-video", "--no-refine", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tracks"] == 1
    rows = (tmp_path / "out" / "tracks.txt").read_text().splitlines()
    assert len(rows) == 75
    assert [float(field) for field in rows[0].split(",")[:6]] == [1, 1, 0, 0, 32, 32]


def test_the_command_line_names_others_engines_and_their_options(site, clip, tmp_path):
    wrong = run(
        site, tmp_path, "track", clip, "--stabilizer", "none", "--detector", "corner", "--set", "detector.sidepx=3"
    )
    assert wrong.returncode == 2
    assert "no option 'sidepx' (did you mean 'side_px'?); there are: side_px, classes" in wrong.stderr
    unknown = run(site, tmp_path, "track", clip, "--stabilizer", "none", "--detector", "corners")
    assert unknown.returncode == 2
    assert (
        "no detector 'corners'; there are: motion, aerial, people_hog, onnx, tiled, mot_file, corner" in unknown.stderr
    )
