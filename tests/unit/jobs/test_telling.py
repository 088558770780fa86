"""What is told of a moment, and told again later."""

import base64

import numpy as np
import orjson
import pytest
import simplejpeg

from sightline.jobs.sites import messages
from sightline.jobs.sites.recognizing import Person
from sightline.jobs.sites.reel import Reel
from sightline.jobs.sites.telling import Shown, Telling
from sightline.jobs.sites.told import ToldFile, told
from sightline.model.frame import Footage, Frame, Moment
from sightline.model.site import Watch
from sightline.model.tracks import Tracks

GREY = np.full((120, 160, 3), 90, np.uint8)


def shown(index, number=1):
    tracks = Tracks("gate", *(np.array([x]) for x in (index, 0.0, 5)), np.array([[40.0, 30, 80, 110]]),
                    np.array([0.9]), np.array([0]), np.array([0]))  # fmt: skip
    gate = messages.camera(index, tracks, np.array([[1.0, np.nan]]), ["some-body"])
    return Shown(index, {"gate": gate, "door": messages.camera(index)}, {"gate": [number]})


@pytest.fixture
def heard():
    """What is said and shown, in lists."""

    class Heard:
        def __init__(self):
            self.said, self.seen = [], []

        def telling(self, **more):
            said, seen = self.said, self.seen
            return Telling("yard", say=lambda *one: said.append(one), show=lambda *one: seen.append(one), **more)

    return Heard()


def unlooked():
    raise AssertionError("nobody wanted pictures")


def test_a_moment_is_told_and_kept_for_who_comes_late(heard):
    telling = heard.telling()
    telling.tell(shown(7), unlooked, ())
    telling.tell(shown(8), unlooked, ())
    assert [key for key, _ in heard.said] == ["", messages.NOW, ""]
    payload = orjson.loads(heard.said[-1][1])["payload"]
    assert payload["frame_index"] == payload["global_frame_index"] == 8
    assert payload["cameras"]["gate"]["tracks"][0]["map_coords"] is None
    telling.rest(())
    telling.rest(())
    assert [key for key, _ in heard.said[3:]] == [messages.NOW]
    assert heard.said[-1][1] == heard.said[-2][1]


def test_pictures_are_made_only_for_who_looks_and_boxes_only_where_wanted(heard):
    telling = heard.telling()
    telling.tell(shown(7), lambda: {"gate": GREY}, ["gate/boxes", "gate", "door"])
    seen = {name: simplejpeg.decode_jpeg(data) for name, data in heard.seen}
    assert set(seen) == {"gate", "gate/boxes"}
    assert np.abs(seen["gate"].astype(int) - 90).max() < 8
    edge = seen["gate/boxes"][60, 37:44].astype(int)
    assert np.abs(edge - 90).max() > 60
    assert np.abs(seen["gate/boxes"][60, 100:].astype(int) - 90).max() < 8


def test_who_comes_while_it_stands_still_sees_the_picture_too(heard):
    telling = heard.telling()
    telling.tell(shown(7), lambda: {"gate": GREY}, ())
    telling.rest(["gate"])
    telling.rest(["gate"])
    assert [name for name, _ in heard.seen] == ["gate"]


def test_messages_hold_pictures_where_that_was_asked_for(heard):
    heard.telling(images=True).tell(shown(7), lambda: {"gate": GREY}, ())
    cameras = orjson.loads(heard.said[0][1])["payload"]["cameras"]
    assert simplejpeg.decode_jpeg(base64.b64decode(cameras["gate"]["frame_image_base64"])).shape == (120, 160, 3)
    assert "frame_image_base64" not in cameras["door"]


def test_everybody_is_covered_in_all_pictures_where_that_was_asked_for(heard):
    noise = np.random.default_rng(0).integers(0, 255, GREY.shape, np.uint8)
    telling = heard.telling(images=True, privacy="bodies")
    telling.tell(shown(7), lambda: {"gate": noise}, ["gate"])
    said = orjson.loads(heard.said[0][1])["payload"]["cameras"]["gate"]["frame_image_base64"]
    for data in (base64.b64decode(said), heard.seen[0][1]):
        picture = simplejpeg.decode_jpeg(data).astype(float)
        assert picture[45:95, 48:72].std() < 20
        assert picture[45:95, 100:].std() > 40


def test_what_was_told_is_told_again_from_any_moment_on(tmp_path):
    with ToldFile(tmp_path / "a.told") as file:
        for index in (3, 4, 9):
            file.add(shown(index, number=index))
        assert [one.index for one in file.since(4)] == [4, 9]
        file.add(shown(12))
    again = list(told(tmp_path / "a.told", 5))
    assert [one.index for one in again] == [9, 12]
    assert (again[0].cameras, again[0].numbers) == (shown(9).cameras, {"gate": [9]})
    assert list(told(tmp_path / "none.told", 0)) == []


class Counting:
    """A camera whose pictures are as bright as their number; reading begins where it is told to."""

    opened = 0

    def __init__(self, first):
        self.first = first

    def about(self):
        return Footage("gate", 16, 16, 10.0, 10.0, 100)

    def frames(self):
        Counting.opened += 1
        for index in range(self.first, 100):
            yield Frame(Moment("gate", index, index / 10), np.full((16, 16, 3), index, np.uint8))

    def n_lost(self):
        return 0


def test_pictures_of_any_moment_come_again():
    late = Watch("gate", ("a.mp4",), offset_s=0.5)
    reel = Reel([late], 10.0, [0, 105], lambda part, start_s: {"gate": Counting(round(10 * start_s["gate"]))})
    Counting.opened = 0
    assert [int(reel.at(index)["gate"][0, 0, 0]) for index in (30, 31, 35)] == [25, 26, 30]
    assert Counting.opened == 1
    assert int(reel.at(8)["gate"][0, 0, 0]) == 3
    assert int(reel.at(105 + 20)["gate"][0, 0, 0]) == 15
    assert Counting.opened == 3
    assert reel.at(2) == {}


def test_whoever_is_known_is_called_by_name_and_nobody_else():
    said = shown(7).cameras["gate"]
    named = messages.named(said, [4], {4: Person("some-body", "Anna"), 5: Person("no-body")})
    (track,) = named["tracks"]
    assert (track["person_id"], track["name"]) == ("some-body", "Anna")
    assert messages.named(said, [5], {5: Person("no-body")})["tracks"][0]["name"] is None
    assert messages.named(said, [3], {4: Person("some-body")}) == said
