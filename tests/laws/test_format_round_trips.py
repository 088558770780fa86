"""Whatever tracks are written come back, and writing what was read changes nothing more."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline import wiring
from sightline.model.tracks import Tracks

FULL = ("csv", "parquet", "coco", "tracking_json")
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
plain = st.floats(0, 1e4, width=32)


@st.composite
def columns(draw):
    """What ``Tracks`` is made of; it is made in the test, since type checks inside a strategy upset hypothesis."""

    def floats(*shape):
        size = int(np.prod(shape))
        return np.array(draw(st.lists(plain, min_size=size, max_size=size)), np.float64).reshape(shape)

    def whole(low, high):
        return np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)), np.int64)

    keys = draw(st.lists(st.tuples(st.integers(0, 30), st.integers(-1, 9)), max_size=12))
    keys = sorted([*{key for key in keys if key[1] >= 0}, *(key for key in keys if key[1] < 0)])
    n = len(keys)
    frame_index, number = np.array(keys, np.int64).reshape(n, 2).T
    corner = floats(n, 2)
    names = draw(st.lists(words, min_size=1, max_size=3, unique=True))
    return {
        "camera": draw(words.filter(bool)),
        "frame_index": frame_index,
        "t_s": frame_index / 3,
        "number": number,
        "xyxy_px": np.hstack([corner, corner + floats(n, 2)]),
        "score": floats(n) / 1e4,
        "label": whole(0, len(names) - 1),
        "detection": whole(-1, 5),
        "classes": tuple(names),
        "extra": {"world": floats(n, 3), "matrix": floats(n, 2, 2), "age": whole(-9, 9)},
    }


def there_and_back(name, tracks):
    with TemporaryDirectory() as folder:
        form = wiring.build("format", name, {})
        form.write(tracks, Path(folder) / "gate.x")
        return form.read(Path(folder) / "gate.x")


def close(a, b, px):
    assert a.frame_index.tolist() == b.frame_index.tolist()
    assert a.number.tolist() == b.number.tolist()
    np.testing.assert_allclose(a.xyxy_px, b.xyxy_px, rtol=0, atol=px)


@pytest.mark.parametrize("name", FULL)
@given(columns=columns())
@settings(max_examples=40, deadline=None)
def test_tracks_come_back(name, columns):
    tracks = Tracks(**columns)
    again = there_and_back(name, tracks)
    close(again, tracks, 1e-9)
    if len(tracks):
        assert again.camera == tracks.camera
    assert [again.classes[k] for k in again.label] == [tracks.classes[k] for k in tracks.label]
    for column in ("t_s", "score", "detection"):
        assert getattr(again, column).tolist() == getattr(tracks, column).tolist()
    for key, column in tracks.extra.items() if len(tracks) else ():
        assert again.extra[key].tolist() == column.tolist()


@given(columns=columns())
@settings(max_examples=50, deadline=None)
def test_mot_comes_back_to_the_written_precision(columns):
    tracks = Tracks(**columns)
    again = there_and_back("mot", tracks)
    close(again, tracks, 1.01e-3)
    np.testing.assert_allclose(again.score, tracks.score, rtol=0, atol=5.1e-7)


@given(columns=columns())
@settings(max_examples=50, deadline=None)
def test_mot_written_again_is_the_same_file(columns):
    tracks = Tracks(**columns)
    with TemporaryDirectory() as folder:
        form, first, second = wiring.build("format", "mot", {}), Path(folder) / "a.txt", Path(folder) / "b.txt"
        form.write(tracks, first)
        form.write(form.read(first), second)
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", ["parquet", "coco"])
@given(columns=columns())
@settings(max_examples=20, deadline=None)
def test_class_names_that_no_row_has_come_back_too(name, columns):
    tracks = Tracks(**columns)
    assert there_and_back(name, tracks).classes == tracks.classes
