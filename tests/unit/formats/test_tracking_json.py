import json

import numpy as np
import pytest

from sightline.errors import FormatError, OptionError
from sightline.formats.tracking_json import TrackingJson
from sightline.model.tracks import Tracks

ENTRY = {"frame_id": 0, "track_id": 1, "bbox": [100, 200, 150, 250]}


def read(tmp_path, found, **options):
    (tmp_path / "clip.json").write_text(found if isinstance(found, str) else json.dumps(found))
    return TrackingJson(**options).read(tmp_path / "clip.json")


def rewritten(tmp_path, tracks, **options):
    TrackingJson(**options).write(tracks, tmp_path / "again.json")
    return json.loads((tmp_path / "again.json").read_text())


def test_the_service_finds_all_it_needs(tmp_path):
    tracks = Tracks(
        "drone", np.array([0, 2]), np.array([0.0, np.nan]), np.array([1, 4]),
        np.array([[100.0, 200, 150, 250], [1, 2, 3, 4.5]]), np.array([0.5, 1]), np.array([1, 0]), np.array([0, -1]),
        ("car", "person"),
    )  # fmt: skip
    assert rewritten(tmp_path, tracks, width=1280, height=720, fps=5.0) == {
        "metadata": {"camera": "drone", "source_resolution": {"width": 1280, "height": 720}, "fps": 5.0},
        "tracks": [
            {"frame_id": 0, "track_id": 1, "bbox": [100, 200, 150, 250], "confidence": 0.5, "class_name": "person",
             "t_s": 0.0, "detection": 0},
            {"frame_id": 2, "track_id": 4, "bbox": [1, 2, 3, 4.5], "confidence": 1.0, "class_name": "car",
             "detection": -1},
        ],
    }  # fmt: skip


def test_a_bare_list_and_id_are_taken(tmp_path):
    tracks = read(tmp_path, [{"frame_id": 3, "id": 7, "bbox": [1, 2, 3, 4]}])
    assert tracks.number.tolist() == [7]
    assert tracks.frame_index.tolist() == [3]
    assert tracks.score.tolist() == [1]
    assert tracks.camera == "clip"
    assert not tracks.extra


def test_unknown_keys_are_kept_and_written_back(tmp_path):
    more = [
        {"lat": 51.5, "pos_ned": [12.3, -8.5, -45.0], "crowd_id": 3, "tags": ["a", 1], "crowd": {"size": 2}},
        {"pos_ned": [1.0, 2.0, 3.0], "tags": []},
    ]
    entries = [{**ENTRY, "frame_id": k, **keys} for k, keys in enumerate(more)]
    tracks = read(tmp_path, {"tracks": entries})
    assert tracks.extra["lat"].dtype == np.float64
    assert np.isnan(tracks.extra["lat"]).tolist() == [False, True]
    assert tracks.extra["pos_ned"].shape == (2, 3)
    again = rewritten(tmp_path, tracks)["tracks"]
    assert [{key: entry[key] for key in entry if key in more[0]} for entry in again] == more


def test_times_come_from_the_rate_where_entries_have_none(tmp_path):
    entries = [{**ENTRY, "frame_id": 5}, {**ENTRY, "frame_id": 6, "t_s": 1.25}]
    assert np.isnan(read(tmp_path, entries).t_s).tolist() == [True, False]
    assert read(tmp_path, entries, fps=5.0).t_s.tolist() == [1, 1.25]
    assert read(tmp_path, {"metadata": {"fps": 10}, "tracks": entries}).t_s.tolist() == [0.5, 1.25]


def test_boxes_are_scaled_to_the_pictures_size(tmp_path):
    found = {"metadata": {"source_resolution": {"width": 1280, "height": 720}}, "tracks": [ENTRY]}
    assert read(tmp_path, found, width=1920, height=1440).xyxy_px.tolist() == [[150, 400, 225, 500]]
    assert read(tmp_path, found).xyxy_px.tolist() == [ENTRY["bbox"]]
    found["metadata"]["source_resolution"]["width"] = 0
    with pytest.raises(FormatError, match="source_resolution"):
        read(tmp_path, found, width=1920, height=1440)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        ('{"tracks":[\n{"a":1,}]}', "line 2: no valid JSON"),
        ("17", "a number, expected an object with a list 'tracks'"),
        ({"trackss": []}, "an object without 'tracks'"),
        ({"tracks": {}}, "'tracks' is an object, expected a list"),
        ({"tracks": [ENTRY, 4]}, r"tracks\[1\] is a number, expected an object"),
        ({"metadata": [1], "tracks": []}, "'metadata' is a list"),
        ({"metadata": {"fps": "x"}, "tracks": []}, 'metadata.fps is "x"'),
        ([{"frame_id": 0, "bbox": [1, 2, 3, 4]}], r"tracks\[0\]: no 'track_id'"),
        ([{"track_id": 0, "bbox": [1, 2, 3, 4]}], r"tracks\[0\]: no 'frame_id'"),
        ([ENTRY, {**ENTRY, "bbox": [1, 2, 3]}], r"tracks\[1\]: bbox is \[1, 2, 3\], expected four numbers"),
        ([{**ENTRY, "bbox": [1, 2, 3, "4"]}], "expected four numbers"),
        ([{**ENTRY, "bbox": [1, 2, 3, float("nan")]}], r"tracks\[0\]: bbox is nan, expected a finite number"),
        ([{**ENTRY, "frame_id": 0.5}], r"tracks\[0\]: frame_id is 0.5, expected a whole number"),
        ([{**ENTRY, "frame_id": -1}], r"tracks\[0\]: frame_id is -1, expected 0 or more"),
        ([{**ENTRY, "track_id": "P1"}], r"tracks\[0\]: track_id is \"P1\", expected a whole number"),
        ([{**ENTRY, "frame_id": 2**70}], "expected a whole number"),
        ([{**ENTRY, "confidence": "high"}], 'confidence is "high", expected a number'),
        ([{**ENTRY, "class_name": 3}], "class_name is 3, expected a text"),
        ([ENTRY, ENTRY], r"tracks\[1\]: track_id 1 is in picture 0 already, in tracks\[0\]"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_entry_and_key(tmp_path, found, what):
    with pytest.raises(FormatError, match=what) as caught:
        read(tmp_path, found)
    assert "clip.json" in str(caught.value)


def test_an_empty_list_is_no_tracks(tmp_path):
    assert len(read(tmp_path, {"tracks": []})) == 0


@pytest.mark.parametrize("options", [{"width": 5}, {"width": 0, "height": 3}, {"fps": -1.0}])
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(OptionError):
        TrackingJson(**options)


def test_what_json_cannot_say_is_refused(tmp_path):
    for odd in (np.array([np.inf]), np.array([object()], object), np.array([1j])):
        tracks = read(tmp_path, [ENTRY])
        tracks = Tracks(**{name: getattr(tracks, name) for name in Tracks.__slots__} | {"extra": {"odd": odd}})
        with pytest.raises(FormatError, match="not to be said in JSON"):
            TrackingJson().write(tracks, tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()
