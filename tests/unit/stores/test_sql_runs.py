"""Runs, kept: their files until the work begins, one job each, one outcome each."""

import pytest

from sightline.errors import ConflictError, UnknownError
from sightline.model.run import Run
from sightline.stores.sql.runs import Runs


@pytest.fixture
def runs(engine):
    return Runs(engine)


def new(runs, number=1, **changes):
    return runs.add(Run(id=f"run_{number}_abcdefg", owner="ann", settings={"confThreshold": 45}, **changes))


def test_what_is_added_is_found_as_it_was(runs):
    run = new(runs)
    assert runs.get(run.id) == run
    assert (run.settings, run.files, run.job_id, run.outcome) == ({"confThreshold": 45}, {}, None, None)


def test_a_run_that_is_not_there_is_named(runs):
    for ask in (runs.get, runs.delete, lambda name: runs.change_files(name, False, lambda run: run.files)):
        with pytest.raises(UnknownError, match="no run 'run_x'"):
            ask("run_x")


def test_files_change_until_the_work_begins(runs):
    run = new(runs)
    runs.change_files(run.id, False, lambda _run: {"a.jpg": "1"})
    changed = runs.change_files(run.id, False, lambda run: {**run.files, "b.jpg": "2"})
    assert changed.files == {"a.jpg": "1", "b.jpg": "2"}
    assert runs.begin(run.id, "j" * 32)
    with pytest.raises(ConflictError):
        runs.change_files(run.id, False, lambda _run: {})
    assert runs.get(run.id).files == {"a.jpg": "1", "b.jpg": "2"}


def test_a_run_has_one_job_and_one_outcome(runs):
    run = new(runs)
    assert runs.under_way() == []
    assert runs.begin(run.id, "j" * 32)
    assert not runs.begin(run.id, "k" * 32)
    assert [one.id for one in runs.under_way()] == [run.id]
    assert runs.settle(run.id, {"status": "completed"})
    assert not runs.settle(run.id, {"status": "failed"})
    assert (runs.get(run.id).job_id, runs.get(run.id).outcome) == ("j" * 32, {"status": "completed"})
    assert runs.under_way() == []


def test_pages_follow_each_other_newest_first(runs):
    made = [new(runs, number, created_utc_s=float(number // 2 + 1)) for number in range(7)]
    names = [run.id for run in sorted(made, key=lambda run: (run.created_utc_s, run.id), reverse=True)]
    found, before = [], None
    while page := runs.page(limit=3, before=before):
        found += [run.id for run in page]
        before = page[-1]
    assert found == names
    assert runs.count() == 7
    runs.delete(names[0])
    assert runs.count() == 6
