"""Every value of a sound file replaced by every kind of odd one: read, or refused in one line, never anything else."""

import copy
import json

import pytest

from sightline import wiring
from sightline.errors import FormatError

ODD = (
    None, True, -1, 0, 1.5, 2**53, 2**63, 10**400, float("inf"), float("nan"), "", "x", "\ud800", [], {}, [1], [[1]],
    [1, 2, 3, None], [1, 2, 3, 2**64], [1, 2, "3", 4], [{}, {}], {"a": 1}, ["camera"],
)  # fmt: skip
SOUND = {
    "tracking_json": {
        "metadata": {"camera": "a", "source_resolution": {"width": 640, "height": 480}, "fps": 5},
        "tracks": [
            {"frame_id": 0, "track_id": 1, "bbox": [1, 2, 3, 4], "confidence": 0.5, "class_name": "car", "t_s": 0.1,
             "detection": 0, "lat": 1.5, "pos": [1.5, 2.5]},
            {"frame_id": 1, "track_id": 1, "bbox": [1, 2, 3, 4.5], "detection": 0, "lat": 2.5, "pos": [1.5, 2.5]},
        ],
    },
    "coco": {
        "info": {"camera": "a"},
        "images": [{"id": 1, "frame_index": 4, "t_s": 0.5, "camera": "a"}, {"id": 2, "frame_index": 5, "camera": "a"}],
        "categories": [{"id": 1, "name": "car"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "track_id": 3, "score": 0.5,
             "detection": 0, "segmentation": [[1, 2, 3, 4]]},
            {"id": 2, "image_id": 2, "category_id": 1, "bbox": [1, 2, 3, 4], "detection": 1, "segmentation": {}},
        ],
    },
}  # fmt: skip


def places(found, before=()):
    """Where every value is."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in inside:
        yield (*before, key)
        yield from places(value, (*before, key))


def replaced(found, place, odd):
    changed = copy.deepcopy(found)
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = odd
    return changed


def tried(action, *given):
    try:
        return action(*given), None
    except FormatError as error:
        return None, str(error)


def fit_to_print(complaint, name):
    return name in complaint and "\n" not in complaint and len(complaint) < 400 and complaint.encode()


CASES = [(name, place) for name, found in SOUND.items() for place in places(found)]


@pytest.mark.parametrize(("name", "place"), CASES, ids=lambda part: part if isinstance(part, str) else str(part[-1]))
def test_an_odd_value_is_read_or_refused_in_one_line(tmp_path, name, place):
    form = wiring.build("format", name, {"width": 64, "height": 48})
    path, again = tmp_path / "odd.json", tmp_path / "again.json"
    for odd in ODD:
        path.write_text(json.dumps(replaced(SOUND[name], place, odd)))
        tracks, complaint = tried(form.read, path)
        assert complaint is None or fit_to_print(complaint, "odd.json")
        if complaint is None:
            _, complaint = tried(form.write, tracks, again)
            assert complaint is None or fit_to_print(complaint, "again.json")
        if complaint is None:
            assert form.read(again).number.tolist() == tracks.number.tolist()


def test_the_sound_files_are_sound(tmp_path):
    for name, found in SOUND.items():
        (tmp_path / name).write_text(json.dumps(found))
        assert len(wiring.build("format", name, {}).read(tmp_path / name)) == 2
