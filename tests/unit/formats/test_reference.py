"""The samples in the reference are what is written."""

import re
from pathlib import Path

import numpy as np
import pytest

from sightline import wiring
from sightline.model.tracks import Tracks

REFERENCE = (Path(__file__).parents[3] / "docs" / "reference" / "formats.md").read_text()
SIZE = {"width": 1280, "height": 720}
SAMPLE = {
    "camera": "gate", "frame_index": np.array([0, 0, 1]), "t_s": np.array([0.0, 0.0, 0.04]),
    "number": np.array([1, 2, 1]),
    "xyxy_px": np.array([[10.5, 20, 40.5, 110], [200, 30, 232, 120], [12, 20.25, 42, 110.25]]),
    "score": np.array([0.93, 0.5, 0.93]), "label": np.array([0, 1, 0]), "detection": np.array([0, 1, -1]),
    "classes": ("person", "car"), "extra": {"speed_mps": np.array([1.5, 0, 1.25])},
}  # fmt: skip


def section(name):
    return re.split(r"^## ", REFERENCE, flags=re.MULTILINE)[1:][_titles().index(name)]


def _titles():
    return re.findall(r"^## (.*)$", REFERENCE, flags=re.MULTILINE)


@pytest.mark.parametrize(("name", "options"), [("mot", {}), ("csv", {}), ("coco", SIZE), ("tracking_json", SIZE)])
def test_the_sample_is_what_is_written(name, options, tmp_path):
    wiring.build("format", name, options).write(Tracks(**SAMPLE), tmp_path / "sample")
    sample = re.search(r"```\n(.*?)```", section(name), flags=re.DOTALL)[1]
    assert (tmp_path / "sample").read_text() == sample


@pytest.mark.parametrize("name", list(wiring.ENGINES["format"]))
def test_every_format_and_option_is_described(name):
    assert all(f"`{option}`" in section(name) for option in wiring.options("format", name))
