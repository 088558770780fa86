"""The reference says what the code does."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from sightline.formats.scenes import npz, ply
from sightline.formats.scenes.filters import Filters
from sightline.model.lens import LensModel
from sightline.model.scene import Scale

REFERENCE = (Path(__file__).parents[4] / "docs" / "reference" / "scenes.md").read_text()


def rows(title):
    """First cells and the rest of a section's table."""
    (section,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", REFERENCE, re.DOTALL | re.MULTILINE)
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))


def test_every_filter_is_there_with_its_default():
    said = {name: rest.split(" | ")[0].strip("`") for name, rest in rows("Filters").items()}
    words = {True: "yes", False: "no", None: "all"}
    given = {field.name: field.default for field in dataclasses.fields(Filters)}
    assert said == {name: words.get(value, f"{value:g}" if isinstance(value, float) else str(value))
                    for name, value in given.items()}  # fmt: skip


def test_every_array_is_there_with_its_shape(scene, tmp_path):
    npz.write(scene, tmp_path / "p.npz")
    found = np.load(tmp_path / "p.npz")
    letters = {"S": 4, "H": 26, "W": 24}
    said = {
        name: tuple(letters.get(word) or int(word) for word in rest.split(" | ")[0].split())
        for name, rest in rows("predictions.npz").items()
    }
    assert said == {name: found[name].shape for name in found.files if not name.startswith("sightline")}


def test_the_properties_of_points_are_there_in_order(scene, tmp_path):
    ply.write(scene, dataclasses.replace(scene.dense, view=scene.dense.view), tmp_path / "p.ply")
    header = (tmp_path / "p.ply").read_bytes().split(b"end_header")[0].decode()
    names = re.findall(r"^property \w+ (\w+)$", header, re.MULTILINE)
    said = "`x y z nx ny nz` (float), `red green blue` (uchar)"
    assert said in REFERENCE
    assert names == [*re.sub(r"`|\(\w+\)|,", "", said).split(), "confidence", "view"]


@pytest.mark.parametrize("name", [*LensModel, *Scale])
def test_every_lens_model_and_scale_is_there(name):
    assert re.search(rf"\b{name.value}\b", REFERENCE)
