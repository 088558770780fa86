"""Who is who at once, by looks, places and the ways between cameras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.errors import OptionError
from sightline.identifiers.gallery import Gallery
from sightline.identifiers.passage import Passage, share_in
from sightline.model.identities import Sightings
from sightline.model.site import HandOver, Watch

CAMERAS = ("a", "b", "c")
LOOKS = np.linalg.qr(np.random.default_rng(0).normal(0, 1, (16, 16)))[0]
"""People who look nothing alike."""
SOMEWHERE = (0.4, 0.4, 0.6, 0.6)


def sightings(*rows):
    """Rows (camera, t_s, track, look or None, place or None[, box])."""
    n = len(rows)
    looks, places = np.full((n, 16), np.nan), np.full((n, 2), np.nan)
    boxes = np.array([row[5] if len(row) > 5 else SOMEWHERE for row in rows], float).reshape(n, 4)
    for k, row in enumerate(rows):
        if row[3] is not None:
            looks[k] = LOOKS[row[3]] if isinstance(row[3], int) else row[3]
        if row[4] is not None:
            places[k] = row[4]
    cov = np.where(np.isfinite(places[:, :1, None]), 0.05 * np.eye(2), np.nan)
    return Sightings(
        CAMERAS, np.array([CAMERAS.index(row[0]) for row in rows], np.int64), np.array([float(row[1]) for row in rows]),
        np.array([row[2] for row in rows], np.int64), places, cov, np.ones(n, bool), looks, boxes,
    )  # fmt: skip


def numbers(*rows, **options):
    return Gallery(**options).identify(sightings(*rows)).number.tolist()


def test_who_looks_the_same_is_the_same_in_another_camera_and_later():
    assert numbers(("a", 0, 1, 0, None), ("a", 0, 2, 1, None), ("b", 5, 7, 1, None), ("a", 9, 3, 0, None)) == [
        1,
        2,
        2,
        1,
    ]


def test_who_looks_like_nobody_known_is_somebody_new():
    assert numbers(("a", 0, 1, 0, None), ("b", 1, 1, 1, None)) == [1, 2]


def test_a_track_keeps_its_identity_whatever_it_looks_like_later():
    assert numbers(("a", 0, 1, 0, None), ("a", 1, 1, 5, None), ("a", 2, 1, None, None)) == [1, 1, 1]


def test_twins_in_one_picture_are_two():
    assert numbers(("a", 0, 1, 0, None), ("a", 0, 2, 0, None)) == [1, 2]


def test_the_better_likeness_gets_the_identity():
    near = LOOKS[0] + 0.3 * LOOKS[1]
    far = LOOKS[0] + 0.7 * LOOKS[2]
    near, far = near / np.linalg.norm(near), far / np.linalg.norm(far)
    assert numbers(("a", 0, 1, 0, None), ("b", 5, 1, far, None), ("b", 5, 2, near, None)) == [1, 2, 1]


def test_places_tell_two_in_the_same_clothes_apart():
    found = numbers(
        ("a", 0, 1, 0, (0, 0)), ("a", 0, 2, 0, (4, 0)), ("b", 0.1, 1, 0, (4.1, 0)), ("b", 0.1, 2, 0, (0.1, 0))
    )
    assert found == [1, 2, 2, 1]


def test_nobody_is_in_two_places_at_once():
    assert numbers(("a", 0, 1, 0, (0, 0)), ("b", 0, 1, 0, (20, 0))) == [1, 2]


@pytest.mark.parametrize(("after_s", "same"), [(5, False), (20, True)])
def test_nobody_runs_faster_than_people_do(after_s, same):
    assert (numbers(("a", 0, 1, 0, (0, 0)), ("b", after_s, 1, 0, (40, 0))) == [1, 1]) == same


def test_places_alone_will_do_where_nobody_looks():
    seen = sightings(("a", 0, 1, None, (0, 0)), ("a", 0, 2, None, (3, 0)), ("b", 0.1, 5, None, (3.1, 0.1)))
    columns = {name: getattr(seen, name) for name in Sightings.__slots__}
    for look in (seen.look, np.zeros((3, 0))):
        assert Gallery().identify(Sightings(**(columns | {"look": look}))).number.tolist() == [1, 2, 2]


def test_without_look_place_or_track_nothing_is_said():
    assert numbers(("a", 0, 1, None, None), ("a", 0, -1, 0, (0, 0)), ("a", 1, 1, 0, None)) == [-1, -1, 1]


def test_who_was_taken_for_somebody_else_meanwhile_is_looked_at_anew():
    """Track 1 was lost, track 2 took its identity; track 1 comes back beside it."""
    rows = (("a", 0, 1, 0, None), ("a", 5, 2, 0, None), ("a", 6, 1, 3, None), ("a", 6, 2, 0, None))
    assert numbers(*rows) == [1, 1, 2, 1]


def test_the_look_of_somebody_known_follows_slowly():
    turned = LOOKS[0] + 0.8 * LOOKS[1]
    turned /= np.linalg.norm(turned)
    walk = [("a", k, 1, turned if k else 0, None) for k in range(40)]
    back = LOOKS[0] + 1.6 * LOOKS[1]
    back /= np.linalg.norm(back)
    assert LOOKS[0] @ back < 0.65
    assert numbers(("a", 0, 1, 0, None), ("b", 40, 1, back, None)) == [1, 2]
    assert numbers(*walk, ("b", 40, 1, back, None))[-1] == 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), pieces=st.integers(1, 5), again=st.booleans())
def test_in_pieces_or_at_once_and_nobody_twice_in_one_camera_at_one_time(seed, pieces, again):
    """With ``again``, another gallery goes on after every piece from what the one before knew."""
    rng = np.random.default_rng(seed)
    rows = [
        (camera, t_s, int(track), int(rng.integers(4)), tuple(rng.uniform(0, 5, 2)) if rng.random() < 0.5 else None)
        for t_s in range(12)
        for camera in CAMERAS
        for track in rng.choice(6, rng.integers(0, 4), replace=False) + t_s // 4 * 3
    ]
    seen = sightings(*rows)
    at_once = Gallery().identify(seen).number
    gallery = Gallery()
    part = seen.t_s // (12 / pieces)
    in_pieces = []
    for k in range(pieces + 1):
        in_pieces.append(gallery.identify(seen.rows(part == k)).number)
        if again:
            state, gallery = gallery.state(), Gallery()
            gallery.resume(state)
    np.testing.assert_array_equal(np.concatenate(in_pieces), at_once)
    keys = np.column_stack([at_once, seen.camera, seen.t_s.astype(int)])
    assert len(np.unique(keys, axis=0)) == len(keys)


def told(people, *rows, gallery=None):
    """Numbers where tracks, by camera and number, are said to be people."""
    gallery = gallery or Gallery()
    gallery.believe({(CAMERAS.index(camera), track): person for (camera, track), person in people.items()})
    return gallery.identify(sightings(*rows)).number.tolist()


def test_who_is_said_to_be_one_is_one_whatever_they_look_like():
    people = {("a", 1): "anna", ("b", 1): "anna", ("b", 2): "bert"}
    rows = ("a", 0, 1, 0, None), ("b", 5, 1, 1, None), ("b", 5, 2, 0, None), ("c", 9, 1, 1, None)
    gallery = Gallery()
    assert told(people, *rows, gallery=gallery)[:3] == [1, 1, 2]
    assert gallery.people() == {1: "anna", 2: "bert"}
    assert numbers(*rows)[:3] == [1, 2, 1]


def test_what_was_begun_before_it_was_said_who_it_is_is_nobodys_then():
    gallery = Gallery()
    assert told({("a", 1): "anna"}, ("a", 0, 1, 0, None), gallery=gallery) == [1]
    assert told({}, ("b", 5, 1, 1, None), gallery=gallery) == [2]
    assert told({("b", 1): "anna"}, ("b", 6, 1, 1, None), gallery=gallery) == [1]
    assert gallery._known.number.tolist() == [1]
    assert told({}, ("c", 9, 1, 1, None), ("b", 10, 1, 1, None), gallery=gallery) == [3, 1]


def test_who_is_taken_for_somebody_who_comes_is_looked_at_anew():
    gallery = Gallery()
    assert told({("a", 1): "anna"}, ("a", 0, 1, 0, None), gallery=gallery) == [1]
    assert told({}, ("b", 5, 1, 0, None), gallery=gallery) == [1]
    assert told({("b", 2): "anna"}, ("b", 6, 1, 0, None), ("b", 6, 2, 5, None), gallery=gallery) == [2, 1]


def test_of_two_who_are_said_to_be_one_in_one_camera_the_second_is_taken_for_nobody_else():
    gallery, people = Gallery(), {("a", 1): "anna", ("a", 2): "anna", ("b", 3): "bert"}
    rows = ("b", 0, 3, 1, None), ("a", 5, 1, 0, None), ("a", 5, 2, 1, None), ("a", 6, 2, 1, None), ("a", 6, 1, 0, None)
    assert told(people, *rows, gallery=gallery) == [1, 2, 3, 3, 2]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_everybody_has_one_identity_and_is_not_twice_in_one_camera_whoever_they_are_said_to_be(seed):
    rng, gallery, seen = np.random.default_rng(seed), Gallery(), []
    for t_s in range(15):
        rows = [
            (camera, t_s, int(track), int(rng.integers(4)), None)
            for camera in CAMERAS
            for track in rng.choice(5, rng.integers(0, 4), replace=False) + t_s // 5 * 3
        ]
        people = {(row[0], row[2]): "abc"[rng.integers(3)] for row in rows if rng.random() < 0.6}
        before, number = gallery.people(), told(people, *rows, gallery=gallery)
        said = [(row[0], people.get((row[0], row[2]))) for row in rows]
        for (camera, person), who in zip(said, number, strict=True):
            if person is not None and said.count((camera, person)) == 1:
                assert gallery.people()[who] == person
        seen += [(who, row[0], t_s) for row, who in zip(rows, number, strict=True)]
        assert before.items() <= gallery.people().items()
        state, gallery = gallery.state(), Gallery()
        gallery.resume(state)
    assert len(set(seen)) == len(seen)


def test_who_was_not_seen_for_long_is_forgotten_and_so_are_the_tracks():
    gallery = Gallery(forget_s=100.0)
    for k in range(50):
        gallery.identify(sightings(("a", 60 * k, k, k % 16, None)))
    known = gallery._known
    assert len(known.number) <= 2
    assert len(gallery._owner) <= 2
    assert len(gallery._holder) <= 2


def test_the_tracks_of_who_stays_all_day_are_forgotten_too():
    gallery = Gallery(forget_s=100.0)
    for k in range(50):
        gallery.identify(sightings(("a", 60 * k, k, 0, None)))
    assert gallery._known.number.tolist() == [1]
    assert len(gallery._owner) <= 3
    assert len(gallery._holder) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": np.array(2)}, "version 2 is not known here"),
        ({"owner": np.zeros((1, 2), np.int64)}, "owner has 2 where it should have 3"),
        ({"known_seen_s": np.zeros(5)}, "known_seen_s has 5 where it should have 1"),
        ({"cameras": np.zeros(3)}, "cameras is not texts in 1 dimensions"),
        ({"contrast_counts": None}, "contrast_counts is missing"),
    ],
)
def test_what_no_gallery_knew_is_refused_and_named(change, why):
    gallery = Gallery()
    gallery.identify(sightings(("a", 0, 1, 0, None)))
    state = {name: array for name, array in (gallery.state() | change).items() if array is not None}
    with pytest.raises(ValueError, match=why):
        Gallery().resume(state)


RULES = (
    Watch("a", (), overlaps=("b",), hand_overs=(HandOver(("c",), "down", 0.4),)),
    Watch("b", ()),
    Watch("c", ()),
)
LOW, HIGH = (0.4, 0.5, 0.6, 0.9), (0.4, 0.1, 0.6, 0.5)


@pytest.mark.parametrize(
    ("leaving", "camera", "after_s", "same"),
    [
        (HIGH, "b", 5, True), (HIGH, "a", 5, True), (LOW, "c", 5, True), (HIGH, "c", 5, False), (HIGH, "c", 90, True),
    ],
)  # fmt: skip
def test_people_come_up_where_the_site_lets_them(leaving, camera, after_s, same):
    rows = ("a", 0, 1, 0, None, leaving), (camera, after_s, 9, 0, None)
    assert (numbers(*rows, watches=RULES) == [1, 1]) == same


def test_overlaps_hold_both_ways_and_hand_overs_one_way():
    ways = Passage(RULES)
    low = np.array([LOW])
    assert ways.open("a", ["b"], low, np.zeros(1)).all()
    assert not ways.open("a", ["c"], low, np.zeros(1)).any()


def test_a_site_that_says_nothing_forbids_nothing():
    assert Passage([Watch("a", ()), Watch("b", ())]).open("b", ["a"], np.array([HIGH]), np.zeros(1)).all()


@pytest.mark.parametrize(("side", "share"), [("left", 0.25), ("right", 0.75), ("up", 0.5), ("down", 0.5)])
def test_the_share_of_a_box_in_half_a_picture(side, share):
    np.testing.assert_allclose(share_in(np.array([[0.4, 0.25, 0.8, 0.75]]), side), [share])


def test_another_embedder_in_the_middle_is_refused():
    gallery = Gallery()
    seen = sightings(("a", 0, 1, 0, None))
    gallery.identify(seen)
    columns = {name: getattr(seen, name) for name in Sightings.__slots__}
    with pytest.raises(ValueError, match="began with"):
        gallery.identify(Sightings(**(columns | {"look": np.ones((1, 3))})))


@pytest.mark.parametrize("option", [{"threshold": 1.5}, {"memory": 1.0}, {"forget_s": 0.0}])
def test_options_out_of_range_are_refused(option):
    with pytest.raises(OptionError, match=next(iter(option))):
        Gallery(**option)
