"""What people put right: it holds in everything that is read, can be taken back, and is carried to later tasks."""

import numpy as np
import pytest

from sightline.errors import ConflictError, OptionError, UnknownError
from sightline.jobs.history.carrying import OWNER, carry_over
from sightline.jobs.history.correcting import Corrector
from sightline.jobs.history.story import Chronicle
from sightline.jobs.sites import messages
from sightline.stores.sql.history import History

from .conftest import TASK, later, noted, walk


@pytest.fixture
def corrector(walked):
    return Corrector(walked)


def seconds(answers):
    return {one["person_id"]: one["n_sightings"] for one in answers.people()}


def test_who_is_merged_is_one_until_that_is_taken_back(ask, corrector, ids):
    before = seconds(ask())
    made = corrector.merge(ids[3], ids[1], "ann")
    assert seconds(ask()) == {ids[1]: 150, ids[2]: 100}
    assert {one["person_id"] for one in ask().dwell()[0]["people"]} == {ids[1], ids[2]}
    corrector.undo(made.id)
    assert seconds(ask()) == before
    with pytest.raises(ConflictError, match="before"):
        corrector.undo(made.id)


def test_who_is_split_is_another_from_then_on(ask, corrector, ids):
    made = corrector.split(ids[1], 10.0, "ann")
    assert seconds(ask()) == {ids[1]: 50, made.becomes: 50, ids[2]: 100, ids[3]: 50}
    again = corrector.split(made.becomes, 15.0, "ann")
    assert seconds(ask())[again.becomes] == 25
    assert ask().lines()[0]["crossings"][-1]["person_id"] in {made.becomes, ids[2]}
    corrector.undo(made.id)
    assert seconds(ask()) == {ids[1]: 100, ids[2]: 100, ids[3]: 50}  # the later split has nobody left to split


def test_a_name_is_shown_wherever_the_person_is(ask, corrector, ids):
    corrector.rename(ids[1], "Anna", "ann")
    corrector.merge(ids[2], ids[1], "ann")
    assert {one["name"] for one in ask().people()} == {"Anna", None}
    assert ask().trajectories(ids[1])[0]["name"] == "Anna"
    corrector.rename(ids[1], "", "ann")
    assert {one["name"] for one in ask().people()} == {None}


def test_what_makes_no_sense_is_refused_and_named(corrector, ids):
    with pytest.raises(UnknownError, match="no person 'nobody'"):
        corrector.rename("nobody", "x", "ann")
    with pytest.raises(OptionError, match="itself"):
        corrector.merge(ids[1], ids[1], "ann")
    with pytest.raises(OptionError, match=r"seen from 5.000 to 14.800 s"):
        corrector.split(ids[3], 5.0, "ann")
    with pytest.raises(OptionError, match="name"):
        corrector.rename(ids[1], "a\nb", "ann")
    corrector.merge(ids[2], ids[1], "ann")
    with pytest.raises(UnknownError):
        corrector.merge(ids[2], ids[3], "ann")  # is nobody any more


def test_people_of_two_tasks_can_be_one(walked, ask, corrector, ids):
    noted(History(walked), later(footage="e" * 64), walk(1, "cam1", (0, 0), (5, 0)))
    other = messages.identity(later().task_id, 1)
    corrector.merge(other, ids[1], "ann")
    assert {one["person_id"] for one in ask(task_id=later().task_id).people()} == {ids[1]}
    with pytest.raises(OptionError, match="say in which task"):
        corrector.split(ids[1], 10.0, "ann")
    corrector.split(ids[1], 10.0, "ann", later().task_id)
    assert len(ask(task_id=later().task_id).people()) == 2
    assert seconds(ask())[ids[1]] == 100


def test_a_later_task_over_the_same_recordings_keeps_names_merges_and_splits(walked, ask, corrector, ids):
    corrector.rename(ids[1], "Anna", "ann")
    corrector.merge(ids[3], ids[2], "ann")
    made = corrector.split(ids[1], 10.0, "ann")
    again = later(asked_utc_s=TASK.asked_utc_s + 60)
    # The same people, under other numbers.
    noted(
        History(walked), again, walk(5, "cam1", (0, 0), (20, 0)), walk(4, "cam1", (0, 1), (20, 1)),
        walk(6, "cam2", (5, 8), (5, 8), begin_s=5.0, seconds=10.0), walk(7, "cam2", (9, 9), (9, 9)),
    )  # fmt: skip
    with_boxes = History(walked).sightings(again.task_id)
    assert set(with_boxes["identity"]) == {4, 5, 6, 7}
    _like_before(walked, again)
    carried = carry_over(Chronicle(walked), again)
    assert {one.owner for one in carried} == {OWNER}
    assert carry_over(Chronicle(walked), again) == []
    stranger = messages.identity(again.task_id, 7)
    assert seconds(ask(task_id=again.task_id)) == {ids[1]: 50, made.becomes: 50, ids[2]: 150, stranger: 100}
    assert {one["name"] for one in ask(task_id=again.task_id).people()} == {"Anna", None}


def _like_before(engine, task):
    """Boxes of the later task where those of the earlier one were: 5 was 1, 4 was 2, 6 was 3."""
    from sqlalchemy import text

    with engine.begin() as connection:
        for now, was in ((5, 1), (4, 2), (6, 3)):
            shift = 100.0 * (was - now) + 3.0  # not to the pixel
            moved = (
                "UPDATE sightings SET x1_px = x1_px + :d, x2_px = x2_px + :d, y1_px = y1_px + :d, y2_px = y2_px + :d"
            )
            connection.execute(
                text(f"{moved} WHERE task_id = :task AND identity = :now"),
                {"d": shift, "task": task.task_id, "now": now},
            )


def test_nothing_is_carried_where_nothing_was_put_right(walked):
    again = later(asked_utc_s=TASK.asked_utc_s + 60)
    noted(History(walked), again, walk(1, "cam1", (0, 0), (20, 0)))
    assert carry_over(Chronicle(walked), again) == []


def test_other_recordings_are_nobodys_business(walked, corrector, ids):
    corrector.rename(ids[1], "Anna", "ann")
    other = later(asked_utc_s=TASK.asked_utc_s + 60, footage="e" * 64)
    noted(History(walked), other, walk(1, "cam1", (0, 0), (20, 0)))
    assert carry_over(Chronicle(walked), other) == []
    assert np.isfinite(other.zero_utc_s)
