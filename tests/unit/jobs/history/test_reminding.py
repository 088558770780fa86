"""Whom an earlier task found in the same boxes: told while a later one runs."""

import numpy as np
import pytest
from sqlalchemy import text

from sightline.identifiers.gallery import Gallery
from sightline.jobs.history.carrying import put_right
from sightline.jobs.history.correcting import Corrector
from sightline.jobs.history.reminding import Reminder
from sightline.jobs.history.story import Chronicle
from sightline.jobs.sites import messages
from sightline.jobs.sites.recognizing import Person, Recognizing
from sightline.model.identities import Sightings
from sightline.model.job import Job, JobState
from sightline.model.tracks import Tracks
from sightline.stores.sql.jobs import Jobs

from .conftest import FPS, TASK, later

AGAIN = later(asked_utc_s=TASK.asked_utc_s + 60)
MOMENTS = [(k / FPS) for k in range(100)]


@pytest.fixture
def corrector(walked):
    return Corrector(walked)


@pytest.fixture
def remembered(walked):
    """What a task under way remembers."""
    return Reminder(Chronicle(walked), AGAIN)


def boxes(camera, t_s, *several):
    """Tracks (number, whose box) of a moment, a little beside where the boxes were; of nobody, elsewhere."""
    left = np.array([[100.0 * who + t_s + 3.0] for _, who in several]).reshape(-1, 1)
    n, zero = len(several), np.zeros(len(several), np.int64)
    xyxy_px = np.hstack([left, left, left + 40, left + 90])
    number = np.array([number for number, _ in several], np.int64)
    return Tracks(camera, zero, np.full(n, t_s), number, xyxy_px, np.ones(n), zero, zero)


def test_three_boxes_tell_who_it_is_and_split_people_are_two(corrector, remembered, ids):
    corrector.rename(ids[1], "Anna", "ann")
    made = corrector.split(ids[1], 10.0, "ann")
    told = [remembered.people("cam1", t_s, boxes("cam1", t_s, (7, 1), (8, 2), (9, 6))) for t_s in MOMENTS]
    first = [one[0] for one in told]
    assert first[:4] == [None, None, ids[1], ids[1]]
    assert first[50:54] == [ids[1], ids[1], made.becomes, made.becomes]
    assert set(first[2:52]) == {ids[1]}
    assert set(first[52:]) == {made.becomes}
    assert told[20] == [ids[1], ids[2], None]
    assert remembered.person(ids[1]) == Person(ids[1], "Anna")
    assert remembered.person(made.becomes) == Person(made.becomes)
    assert remembered.person(ids[2]) is None
    assert remembered.people("cam9", 19.9, boxes("cam9", 19.9, (1, 1))) == [None]
    assert remembered.people("cam1", 60.0, boxes("cam1", 60.0, (70, 1))) == [None]


def test_where_nobody_put_anything_right_there_is_nothing_to_tell(walked, corrector, ids):
    assert put_right(Chronicle(walked), AGAIN) is None
    made = corrector.rename(ids[1], "Anna", "ann")
    assert put_right(Chronicle(walked), AGAIN)[0].task_id == TASK.task_id
    corrector.undo(made.id)
    assert put_right(Chronicle(walked), AGAIN) is None


def test_who_is_forgotten_is_not_told_of(corrector, remembered, ids):
    corrector.rename(ids[2], "Bert", "ann")
    corrector.erase(ids[1], "ann")
    told = [remembered.people("cam1", t_s, boxes("cam1", t_s, (7, 1), (8, 2))) for t_s in MOMENTS[:10]]
    assert {one[0] for one in told} == {None}
    assert told[-1][1] == ids[2]
    assert remembered.person(ids[1]) is None


def test_what_is_put_right_or_forgotten_meanwhile_is_known_soon(corrector, remembered, ids):
    def until(end_s):
        for t_s in (one for one in MOMENTS if end_s - 5 <= one < end_s):
            told = remembered.people("cam1", t_s, boxes("cam1", t_s, (7, 1)))
        return told[0], remembered.person(ids[1])

    assert until(5.0) == (None, None)
    corrector.rename(ids[1], "Anna", "ann")
    corrector.merge(ids[3], ids[1], "ann")
    assert until(10.0) == (ids[1], Person(ids[1], "Anna"))
    corrector.erase(ids[1], "ann")
    assert until(15.0) == (None, None)


def test_what_is_said_of_ids_of_the_task_itself_is_told_with_them(walked, remembered, ids):
    Jobs(walked).add(Job(id=AGAIN.task_id, kind="site", params={"site": "yard"}, state=JobState.RUNNING))
    corrector, gallery = Corrector(walked), Gallery()
    live = {number: messages.identity(AGAIN.task_id, number) for number in (4, 5, 6)}
    corrector.rename(live[5], "Cleo", "ann")
    corrector.merge(live[4], live[5], "ann")
    corrector.merge(live[6], ids[2], "ann")
    recognizing = Recognizing(gallery, remembered)
    recognizing.tell(0.0, ("cam1",), {"cam1": boxes("cam1", 0.0, (1, 6))}, 0)
    cleo = Person(live[5], "Cleo")
    assert recognizing.known() == {4: cleo, 5: cleo, 6: Person(ids[2])}


def test_a_database_that_goes_away_ends_no_task(walked, corrector, remembered, ids, caplog):
    corrector.rename(ids[1], "Anna", "ann")
    with walked.begin() as connection:
        connection.execute(text("DROP TABLE sightings"))
    assert remembered.people("cam1", 0.0, boxes("cam1", 0.0, (7, 1))) == [None]
    assert "earlier people not known from 0.0 s on" in caplog.text


def test_merged_people_are_one_live_and_called_by_their_name(corrector, remembered, ids):
    """1 and 3 look nothing alike and are seen by two cameras; that they are one was found out in the earlier task."""
    corrector.merge(ids[3], ids[1], "ann")
    corrector.rename(ids[1], "Anna", "ann")
    gallery, cameras, said = Gallery(), ("cam1", "cam2"), []
    recognizing = Recognizing(gallery, remembered)
    for t_s in MOMENTS[25:45]:
        seen = {"cam1": boxes("cam1", t_s, (1, 1), (2, 2)), "cam2": boxes("cam2", t_s, (5, 3))}
        recognizing.tell(t_s, cameras, seen, 1000)
        n, look = 3, np.eye(4)[[0, 1, 2]]
        number = gallery.identify(
            Sightings(
                cameras, np.array([0, 0, 1]), np.full(n, t_s), np.array([1001, 1002, 1005]), np.full((n, 2), np.nan),
                np.full((n, 2, 2), np.nan), np.ones(n, bool), look, np.full((n, 4), 0.5),
            )
        ).number  # fmt: skip
        said.append((number.tolist(), recognizing.known()))
    assert said[0] == ([1, 2, 3], {})
    assert said[-1] == ([1, 2, 1], {1: Person(ids[1], "Anna")})
    assert [one for one in said if 3 in one[0]] == said[:2]
