"""What a task leaves behind, written down: at once part by part, and as it was settled in the end."""

from collections import Counter

import numpy as np
import pytest

from sightline.errors import SourceError, UnknownError
from sightline.jobs.history.answers import Answers
from sightline.jobs.history.noting import footage, note_part, note_run, task_of
from sightline.jobs.history.story import Chronicle, Span
from sightline.jobs.kinds import Task
from sightline.jobs.kinds.site import note
from sightline.jobs.sites import running
from sightline.jobs.sites.rows import SeenFile
from sightline.jobs.sites.settling import settled
from sightline.model.identities import Sightings
from sightline.model.job import Job
from sightline.model.site import Plane, Site, SiteMap, Watch
from sightline.settings import load
from sightline.stores.sql.database import database_at
from sightline.stores.sql.history import History
from sightline.stores.sql.jobs import Jobs

FPS = 10
WARP = np.array([[0.02, 0.0, -12.8], [0.0, -0.05, 40.0], [0.0, -0.0005, 1.2]])
"""Takes pixels to metres."""
SITE = Site(
    "yard",
    "The yard",
    SiteMap(1.0),
    tuple(Watch(name, (f"{name}1.mp4", f"{name}2.mp4"), plane=Plane(WARP), size=(1280, 720)) for name in ("a", "b")),
)


def seen(folder, begin=0, n=60):
    """Two people who walk side by side, 4 m apart, seen by both cameras; the first is called 2 at once."""
    path, rng = folder / f"seen-{1 + begin // n}.parquet", np.random.default_rng(begin)
    with SeenFile(path, ("a", "b")) as file:
        for index in range(begin, begin + n):
            xy_m = np.array([[0.1 * index - 5, 8.0], [0.1 * index - 5, 12.0]] * 2) + rng.normal(0, 0.05, (4, 2))
            cov = np.tile(0.01 * np.eye(2), (4, 1, 1))
            foot_px = np.array([640, 720]) + xy_m * np.array([30, -30])
            boxes = np.hstack([foot_px - np.array([20, 100]), foot_px + np.array([20, 0])])
            rows = Sightings(
                ("a", "b"), np.array([0, 0, 1, 1]), np.full(4, index / FPS), np.array([1, 2, 1, 2]), xy_m, cov,
                np.ones(4, bool), np.zeros((4, 0)), boxes / np.tile([1280, 720], 2),
            )  # fmt: skip
            file.add(index, rows, np.array([2, 1, 2, 1]), boxes, np.full(4, 0.9))
    return path


@pytest.fixture
def run(tmp_path):
    """The folder of a finished run of two parts."""
    parts = [seen(tmp_path), seen(tmp_path, begin=60)]
    sizes = {"a": (1280, 720), "b": (1280, 720)}
    settled(SITE, parts, sizes, running.task_of(SITE, tmp_path), tmp_path)
    return tmp_path


def test_a_part_is_there_as_soon_as_it_is_done_and_does_not_count_yet(engine, tmp_path):
    history, task = History(engine), task_of(SITE, "0" * 32, 1.75e9)
    history.begin(task)
    note_part(history, task, 1, seen(tmp_path))
    rows = history.sightings(task.task_id)
    assert Counter(rows["identity"].tolist()) == {1: 120, 2: 120}
    assert rows["x1_px"][0] == pytest.approx(rows["x2_px"][0] - 40)
    assert history.tasks() == []
    assert [one.task_id for one in history.unsettled()] == [task.task_id]


def test_a_run_is_noted_as_it_was_settled_however_often(engine, run):
    for _ in range(2):
        task = note_run(engine, SITE, run)
    kept = History(engine).task(task.task_id)
    assert (kept.fps, kept.firsts, kept.ends_s, kept.is_settled) == (
        pytest.approx(10.0),
        (0, 60),
        pytest.approx(12),
        True,
    )
    assert History(engine).counts() == {"watched_tasks": 1, "identities": 2, "sightings": 480, "places": 120}
    chronicle = Chronicle(engine)
    answers = Answers(chronicle, chronicle.story(Span(task_id=task.task_id)), SITE)
    assert [one["distance_m"] for one in answers.people()] == [pytest.approx(11.8, abs=0.6)] * 2
    assert answers.people()[0]["cameras"] == ["a", "b"]
    assert {(one["n_sightings"]) for one in answers.live_ids()} == {240}
    assert all(one["live_id"] == one["person_id"] for one in answers.live_ids())  # one identity, one name


def test_a_folder_without_a_run_is_named(engine, tmp_path):
    with pytest.raises(SourceError, match="holds no finished run"):
        note_run(engine, SITE, tmp_path)


def test_other_recordings_have_another_digest():
    other = Site("yard", "The yard", SITE.map, SITE.watches[:1])
    assert footage(SITE) == footage(Site("moon", "Other words", SiteMap(2.0), SITE.watches))
    assert footage(SITE) != footage(other)


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """A task that has watched its first part, with its database, which is then put out of the way."""
    monkeypatch.setattr("sightline.jobs.history.waiting._AGAIN_S", 0.0)
    (tmp_path / "yard.toml").write_text('id = "yard"\n[[cameras]]\nid = "a"\nvideos = ["a.mp4"]\n')
    settings = load(None, data_folder=tmp_path, sites_folder=tmp_path, database=f"sqlite:///{tmp_path / 'rows.db'}")
    engine = database_at(settings.database_url())
    Jobs(engine).add(Job(id="0" * 32, kind="site", params={"site": "yard"}, owner="ann"))
    engine.dispose()
    folder = tmp_path / "watch-1"
    folder.mkdir()
    seen(folder).rename(folder / "seen.parquet")
    (tmp_path / "rows.db").rename(tmp_path / "away.db")
    (tmp_path / "rows.db").mkdir()
    return Task(job_id="0" * 32, params={"site": "yard"}, folder=tmp_path / "note-1", settings=settings)


def test_what_was_watched_waits_for_a_database_that_is_away(watched, tmp_path):
    told = []

    def tell(step, *_):
        told.append(step)
        if len(told) == 3:  # it is back
            (tmp_path / "rows.db").rmdir()
            (tmp_path / "away.db").rename(tmp_path / "rows.db")

    note(watched, tell, lambda: False, number=1)
    assert len(told) == 3
    assert "unable to open database file" in told[0]
    engine = database_at(watched.settings.database_url())
    assert History(engine).counts()["sightings"] == 240
    engine.dispose()


def test_a_task_that_is_to_end_waits_for_no_database(watched):
    told = []
    note(watched, lambda step, *_: told.append(step), lambda: len(told) == 2, number=1)
    assert len(told) == 2


def test_a_fault_of_ours_is_not_tried_again(watched, tmp_path):
    (tmp_path / "rows.db").rmdir()  # another, new database, in which there is no such job
    with pytest.raises(UnknownError, match="no job"):
        note(watched, print, lambda: False, number=1)
