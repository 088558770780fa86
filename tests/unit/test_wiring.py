"""Names to engines."""

import inspect

import pytest

from sightline.errors import OptionError, UnknownEngineError
from sightline.wiring import build, check, engine, names


def example(*, seconds: float = 1.0, classes: list[str] | None = None, name: str) -> None:
    """Stands for an engine's constructor."""


KNOWN = dict(inspect.signature(example).parameters)


def test_unknown_names_list_the_known():
    with pytest.raises(UnknownEngineError, match="no tracker 'deepsort'; there are: sort, bytetrack, ocsort, botsort"):
        engine("tracker", "deepsort")


def test_unknown_options_name_the_nearest_and_list_the_known():
    with pytest.raises(
        OptionError, match=r"has no option 'second' \(did you mean 'seconds'\?\); there are: seconds, classes"
    ):
        check("tracker x", KNOWN, {"second": 3})


def test_texts_become_what_the_signature_asks_for():
    assert check("tracker x", KNOWN, {"seconds": "2.5", "name": "n"}) == {"seconds": 2.5, "name": "n"}


def test_commas_make_a_list():
    assert check("tracker x", KNOWN, {"classes": "person, car", "name": "n"})["classes"] == ["person", "car"]


def test_values_of_the_wrong_type_are_named():
    with pytest.raises(OptionError, match="'seconds' = 'soon'"):
        check("tracker x", KNOWN, {"seconds": "soon", "name": "n"})


def test_missing_options_are_named():
    with pytest.raises(OptionError, match="option 'name' must be given"):
        check("tracker x", KNOWN, {})


def test_engines_are_built_by_name():
    assert type(build("tracker", "sort", {})).__name__ == "Sort"


def test_every_kind_lists_its_engines():
    assert names("detector") == ["motion", "aerial", "people_hog", "onnx", "tiled", "mot_file"]
