import av
import numpy as np
import pytest

from sightline.detectors.people_hog import PeopleHog
from sightline.errors import OptionError
from sightline.model.frame import Frame, Moment
from sightline.stabilizers.flow import Flow

PETS = "data/tracking/PETS09/pets09_s2l1_view001_480x360.mp4"
FIRST, LAST = 5, 20
"""Three people walk, well apart; in the annotations (x 0.625) of picture 20 they are here."""


@pytest.fixture(scope="module")
def pictures(shared):
    with av.open(shared / PETS) as container:
        decoded = (picture.to_ndarray(format="rgb24") for picture in container.decode(video=0))
        return [next(decoded) for _ in range(LAST + 1)]


def truth(shared, number):
    from xml.etree import ElementTree as ET

    tree = ET.parse(shared / "data/tracking/PETS09/data/annotations/PETS2009-S2L1.xml")
    boxes = [b.attrib for f in tree.getroot() if f.get("number") == str(number) for b in f.iter("box")]
    xc, yc, w, h = (np.array([float(b[k]) * 0.625 for b in boxes]) for k in ("xc", "yc", "w", "h"))
    return np.stack([xc - w / 2, yc - h / 2, xc + w / 2, yc + h / 2], axis=1)


def watched(pictures, **options):
    detector = PeopleHog(**options)
    return detector, detector.detect([Frame(Moment("a", k, k / 7), rgb) for k, rgb in enumerate(pictures)])


def shares(found, real):
    from sightline.geometry.boxes import iou

    return iou(found.xyxy_px, real)


@pytest.mark.shared
def test_walkers_are_found_where_they_are_and_little_else(pictures, shared):
    _, found = watched(pictures)
    for k in range(FIRST, LAST + 1, 5):
        overlap = shares(found[k], truth(shared, k))
        assert (overlap.max(axis=0) > 0.5).sum() >= 2
    assert sum((f.score > 0.5).sum() for f in found) < 3.5 * len(found)
    assert all(f.classes == ("person",) for f in found)


@pytest.mark.shared
def test_who_stops_stays_found_for_a_while_and_the_picture_before_holds_no_one(pictures, shared):
    detector, found = watched(pictures)
    assert len(found[0]) == 0
    expected = int((found[-1].score > 0.95).sum())
    assert expected >= 2
    for k in range(LAST + 1, LAST + 36):
        (still,) = detector.detect([Frame(Moment("a", k, k / 7), pictures[-1])])
    assert (still.score > 0.95).sum() >= expected


@pytest.mark.shared
def test_walkers_are_found_from_a_panning_camera(pictures, shared):
    flow, detector, hits = Flow(), PeopleHog(), 0
    for k, whole in enumerate(pictures):
        rgb = np.ascontiguousarray(whole[:, 2 * k : 2 * k + 440])
        warp = flow.px_from_before(Frame(Moment("a", k, k / 7), rgb))
        (found,) = detector.detect([Frame(Moment("a", k, k / 7, warp), rgb)])
        real = truth(shared, k) - [2 * k, 0, 2 * k, 0]
        hits += (shares(found, real).max(axis=0, initial=0) > 0.4).sum() if k >= FIRST else 0
    assert hits >= 2 * (LAST - FIRST)


@pytest.mark.shared
def test_grey_and_enlarged_pictures_are_as_good(pictures, shared):
    import cv2

    grey = [cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for p in pictures]
    large = [cv2.resize(p, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for p in grey]
    _, found = watched(large)
    assert (shares(found[-1], 2 * truth(shared, LAST)).max(axis=0) > 0.5).sum() >= 2


def test_a_still_scene_holds_no_one():
    rgb = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    _, found = watched([rgb] * 5)
    assert [len(f) for f in found] == [0] * 5


@pytest.mark.parametrize("person_px", [0.0, -5.0, float("nan")])
def test_people_of_no_height_are_refused(person_px):
    with pytest.raises(OptionError, match="person_px"):
        PeopleHog(person_px=person_px)
