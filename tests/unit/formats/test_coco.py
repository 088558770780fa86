import json

import numpy as np
import pytest

from sightline.errors import FormatError, OptionError
from sightline.formats.coco import Coco
from sightline.model.tracks import Tracks

IMAGE, CATEGORY = {"id": 7, "file_name": "a.jpg"}, {"id": 90, "name": "cat"}
ANNOTATION = {"id": 1, "image_id": 7, "category_id": 90, "bbox": [1, 2, 3, 4]}
PLAIN = {"images": [IMAGE], "categories": [CATEGORY], "annotations": [ANNOTATION]}


def read(tmp_path, found, **options):
    (tmp_path / "clip.json").write_text(json.dumps(found))
    return Coco(**options).read(tmp_path / "clip.json")


def test_others_find_what_coco_says(tmp_path):
    tracks = Tracks(
        "gate", np.array([3, 3, 9]), np.array([0.3, 0.3, np.nan]), np.array([1, 2, 1]),
        np.array([[1.0, 2, 4, 6]] * 3), np.array([0.5, 1, 1]), np.array([1, 0, 1]), np.array([0, 1, -1]),
        ("car", "person"),
    )  # fmt: skip
    Coco(width=640, height=480).write(tracks, tmp_path / "gate.json")
    found = json.loads((tmp_path / "gate.json").read_text())
    assert found["images"] == [
        {"id": 1, "file_name": "000003.jpg", "width": 640, "height": 480, "frame_index": 3, "t_s": 0.3,
         "camera": "gate"},
        {"id": 2, "file_name": "000009.jpg", "width": 640, "height": 480, "frame_index": 9, "camera": "gate"},
    ]  # fmt: skip
    assert found["categories"] == [{"id": 1, "name": "car"}, {"id": 2, "name": "person"}]
    assert found["annotations"][2] == {
        "id": 3, "image_id": 2, "category_id": 2, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0, "track_id": 1,
        "score": 1, "detection": -1,
    }  # fmt: skip


def test_annotations_of_others_are_read(tmp_path):
    images = [IMAGE, {"id": 2, "file_name": "b.jpg"}]
    more = {"segmentation": {"counts": "abc"}, "area": 3, "iscrowd": 0}
    annotations = [{**ANNOTATION, **more}, {**ANNOTATION, "image_id": 2, "segmentation": [[1, 2, 3, 4, 5, 6]]}]
    tracks = read(tmp_path, PLAIN | {"images": images, "annotations": annotations})
    assert tracks.frame_index.tolist() == [0, 1]
    assert tracks.number.tolist() == [-1, -1]
    assert tracks.classes == ("cat",)
    assert tracks.xyxy_px.tolist() == [[1, 2, 4, 6]] * 2
    assert tracks.score.tolist() == [1, 1]
    assert tracks.extra["segmentation"].tolist() == [[[1, 2, 3, 4, 5, 6]], {"counts": "abc"}]
    assert tracks.camera == "clip"
    assert read(tmp_path, PLAIN, camera="gate").camera == "gate"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"images": []}, r"annotations\[0\]: image_id 7 is no image of the file"),
        ({"categories": []}, r"annotations\[0\]: category_id 90 is no category of the file"),
        ({"images": [IMAGE, IMAGE]}, r"images\[1\]: id 7 is that of another image already"),
        ({"images": [{"file_name": "a"}]}, r"images\[0\]: no 'id'"),
        ({"images": 3}, "'images' is a number, expected a list of objects"),
        ({"images": [{**IMAGE, "camera": "a"}, {"id": 3, "camera": "b"}]}, 'images of cameras "a", "b"'),
        ({"categories": [{"id": 90}]}, r"categories\[0\]: no 'name'"),
        ({"annotations": [{**ANNOTATION, "bbox": [1, 2, -3, 4]}]}, r"annotations\[0\]: bbox is \[1, 2, -3, 4\]"),
        ({"annotations": [{**ANNOTATION, "bbox": None}]}, r"annotations\[0\]: bbox is null, expected four"),
        ({"annotations": [{**ANNOTATION, "track_id": "a"}]}, r"annotations\[0\]: track_id is \"a\""),
        ({"annotations": [{**ANNOTATION, "score": True}]}, r"annotations\[0\]: score is true, expected a number"),
        ({"annotations": [{**ANNOTATION, "track_id": 1}] * 2}, r"annotations\[1\]: track_id 1 is in picture 0"),
    ],
)
def test_a_fault_is_named_with_its_entry_and_key(tmp_path, changed, what):
    with pytest.raises(FormatError, match=what) as caught:
        read(tmp_path, PLAIN | changed)
    assert "clip.json" in str(caught.value)


def test_a_missing_part_is_named(tmp_path):
    for part in PLAIN:
        with pytest.raises(FormatError, match=f"no '{part}'"):
            read(tmp_path, {name: found for name, found in PLAIN.items() if name != part})


@pytest.mark.parametrize("options", [{"width": 3}, {"width": 3, "height": 0}])
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(OptionError):
        Coco(**options)
