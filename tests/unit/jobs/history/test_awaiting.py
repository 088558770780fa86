"""What people put right while a task is under way: it waits, and holds for whom those turned out to be."""

import time

import pytest

from sightline.errors import ConflictError, OptionError, UnknownError
from sightline.jobs.history.awaiting import settle_waiting
from sightline.jobs.history.correcting import Corrector
from sightline.jobs.history.forgetting import Forgetting
from sightline.jobs.history.story import Chronicle
from sightline.jobs.sites import messages
from sightline.model.job import Job, JobState
from sightline.stores.artifacts import DiskArtifacts
from sightline.stores.sql.history import History
from sightline.stores.sql.jobs import Jobs

from .conftest import TASK, later, noted, walk

NOW = later(asked_utc_s=TASK.asked_utc_s + 60, footage="e" * 64)


def live(number):
    """An id in live messages of the task under way."""
    return messages.identity(NOW.task_id, number)


@pytest.fixture
def corrector(walked):
    Jobs(walked).add(Job(id=NOW.task_id, kind="site", params={"site": "yard"}, state=JobState.RUNNING))
    return Corrector(walked)


@pytest.fixture
def settle(walked, corrector, ask):
    """Has the task settled: 11, 12 and 13, said at once, were 1, 2 and 3; who is there then, with names."""

    def make():
        three = walk(1, "cam1", (0, 0), (9, 0)), walk(2, "cam1", (0, 1), (9, 1)), walk(3, "cam2", (5, 8), (5, 8))
        noted(History(walked), NOW, *three)
        for _ in range(2):
            settle_waiting(Chronicle(walked), NOW)
        return {one["person_id"]: one["name"] for one in ask(task_id=NOW.task_id).people()}

    return make


def test_names_and_merges_wait_and_hold(corrector, settle, ids):
    corrector.rename(live(11), "Anna", "ann")
    corrector.merge(live(13), live(11), "ann")
    corrector.merge(live(12), ids[2], "ann")
    assert settle() == {live(1): "Anna", ids[2]: None}
    assert [one.undone_utc_s for one in corrector.kept.of("yard", undone=True)] == [None] * 3


def test_who_is_split_live_is_two_and_the_second_can_be_named(corrector, settle):
    made = corrector.split(live(11), 10.0, "ann")
    corrector.rename(made.becomes, "Bert", "ann")
    assert settle() == {live(1): None, live(2): None, live(3): None, made.becomes: "Bert"}


def test_what_says_nothing_any_more_is_taken_back(corrector, settle):
    corrector.split(live(11), 500.0, "ann")  # nobody was there then
    corrector.rename(live(99), "Nobody", "ann")  # was a false alarm
    corrector.merge(live(99), live(12), "ann")
    assert settle() == {live(1): None, live(2): None, live(3): None}
    assert corrector.kept.of("yard") == []
    assert len(corrector.kept.of("yard", undone=True)) == 3


def test_what_is_put_right_afterwards_stays_as_it_was_said(corrector, settle):
    settle()
    corrector.rename(live(1), "Anna", "ann")
    corrector.split(live(2), 10.0, "ann")
    before = corrector.kept.of("yard")
    assert len(settle()) == 4
    assert corrector.kept.of("yard") == before


def test_made_up_ids_and_those_of_other_sites_are_refused(corrector, walked, ids):
    with pytest.raises(UnknownError, match="live-ids tells"):
        corrector.rename("someone", "Anna", "ann")
    with pytest.raises(UnknownError):
        corrector.rename(messages.identity("f" * 32, 1), "Anna", "ann")
    Jobs(walked).add(Job(id="c" * 32, kind="site", params={"site": "moon"}, state=JobState.RUNNING))
    with pytest.raises(OptionError, match="different sites"):
        corrector.merge(messages.identity("c" * 32, 1), ids[1], "ann")
    with pytest.raises(ConflictError, match="has not ended well"):
        corrector.erase(live(11), "ann")


def test_what_waits_outlives_the_forgetting_of_others_but_not_its_own_task(corrector, walked, tmp_path, ids):
    corrector.rename(live(11), "Anna", "ann")
    forgetting = Forgetting(walked, DiskArtifacts(tmp_path / "artifacts"))
    forgetting.erase(corrector.erase(ids[1], "ann"))
    assert [one.name for one in corrector.kept.of("yard") if one.kind == "rename"] == ["Anna"]
    History(walked).begin(NOW)
    Jobs(walked).move(NOW.task_id, JobState.CANCELLED)
    forgetting.tidy(time.time(), None, 24.0)
    assert [one for one in corrector.kept.of("yard", undone=True) if one.kind == "rename"] == []


def test_numbers_are_read_off_ids():
    some = {messages.identity(NOW.task_id, number) for number in (1, 17, 10_000, 10_001)}
    found = messages.numbers(NOW.task_id, some | {"x", "0" * 36, messages.identity(TASK.task_id, 5)})
    assert sorted(found.values()) == [1, 17, 10_000]
    assert all(messages.identity(NOW.task_id, number) == identity for identity, number in found.items())
