import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from sightline.errors import FormatError
from sightline.formats.parquet import KEY, Parquet
from sightline.model.tracks import Tracks

PLAIN = {"frame_index": [0, 1], "track": [1, 1], "x1": [1.0, 2], "y1": [1.0, 2], "x2": [3.0, 4], "y2": [3.0, 4]}


def two_rows(**changed):
    columns = {
        "camera": "gate", "frame_index": np.array([0, 1]), "t_s": np.array([0.0, np.nan]),
        "number": np.array([1, 1]), "xyxy_px": np.array([[1.0, 2, 3, 4]] * 2), "score": np.array([0.5, 1]),
        "label": np.array([1, 1]), "detection": np.array([0, -1]), "classes": ("person", "car", "bus"),
    }  # fmt: skip
    return Tracks(**(columns | changed))


def read(tmp_path, columns, **metadata):
    table = pa.table(columns).replace_schema_metadata(metadata)
    parquet.write_table(table, tmp_path / "yard.parquet")
    return Parquet().read(tmp_path / "yard.parquet")


def test_types_shapes_and_unused_classes_come_back(tmp_path):
    extra = {
        "look": np.arange(4, dtype=np.float32).reshape(2, 2), "mask": np.ones((2, 3, 2), bool),
        "small": np.array([1, 2], np.uint8), "plate": np.array(["", "Ü"]),
    }  # fmt: skip
    Parquet().write(two_rows(extra=extra), tmp_path / "gate.parquet")
    again = Parquet().read(tmp_path / "gate.parquet")
    assert again.classes == ("person", "car", "bus")
    assert again.label.tolist() == [1, 1]
    for name, column in extra.items():
        assert again.extra[name].dtype.kind == column.dtype.kind
        assert again.extra[name].tolist() == column.tolist()
    assert again.extra["look"].dtype == np.float32
    assert again.extra["small"].dtype == np.uint8


def test_others_can_read_it(tmp_path):
    Parquet().write(two_rows(), tmp_path / "gate.parquet")
    table = parquet.read_table(tmp_path / "gate.parquet")
    assert table["class"].to_pylist() == ["car", "car"]
    assert table["camera"].to_pylist() == ["gate", "gate"]
    assert table["t_s"].to_pylist() == [0, None]
    assert parquet.read_metadata(tmp_path / "gate.parquet").row_group(0).column(0).compression == "ZSTD"


def test_no_rows_still_say_whose_they_are(tmp_path):
    Parquet().write(Tracks.none("gate", ("person",)), tmp_path / "a.parquet")
    again = Parquet().read(tmp_path / "a.parquet")
    assert (again.camera, again.classes, len(again)) == ("gate", ("person",), 0)


def test_a_table_that_others_wrote_is_read(tmp_path):
    tracks = read(tmp_path, PLAIN | {"class": ["dog", "cat"], "speed": [1, None]})
    assert tracks.camera == "yard"
    assert [tracks.classes[k] for k in tracks.label] == ["dog", "cat"]
    assert tracks.score.tolist() == [1, 1]
    assert np.isnan(tracks.extra["speed"]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"track": ["a", "b"]}, "column 'track' is of type string, expected int64"),
        ({"track": [1.5, 2]}, "column 'track' is of type double, expected int64"),
        ({"x1": [None, 1.0]}, "row 1: x1 is empty"),
        ({"x1": [1.0, np.inf]}, "row 2: x1 is inf, expected a finite number"),
        ({"frame_index": [0, 0]}, "row 2: track 1 is in picture 0 already, in row 1"),
        ({"class": [1, 2]}, "column 'class' is of type int64"),
    ],
)
def test_a_fault_is_named_with_its_row_and_column(tmp_path, changed, what):
    with pytest.raises(FormatError, match=what):
        read(tmp_path, PLAIN | changed)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(FormatError, match="no column 'y2'"):
        read(tmp_path, {name: column for name, column in PLAIN.items() if name != "y2"})


@pytest.mark.parametrize(
    ("about", "what"), [("{", "damaged"), ('{"version": 99, "camera": "", "classes": []}', "later")]
)
def test_metadata_that_cannot_be_trusted_is_refused(tmp_path, about, what):
    with pytest.raises(FormatError, match=what):
        read(tmp_path, PLAIN, **{KEY.decode(): about})


def test_an_extra_column_without_a_type_is_refused(tmp_path):
    for odd in (np.zeros((2, 0)), np.array([{}, 1], object), np.zeros(2, complex)):
        with pytest.raises(FormatError, match="'odd'"):
            Parquet().write(two_rows(extra={"odd": odd}), tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())
