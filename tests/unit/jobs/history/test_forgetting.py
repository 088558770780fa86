"""Forgetting people, tasks and exports: nothing of them is left anywhere."""

import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv
from sqlalchemy import text

from sightline.errors import ConflictError, UnknownError
from sightline.jobs.history.correcting import Corrector
from sightline.jobs.history.forgetting import Forgetting
from sightline.jobs.sites import messages
from sightline.model.artifact import Artifact
from sightline.model.job import Job, JobState
from sightline.stores.artifacts import DiskArtifacts
from sightline.stores.sql.artifacts import ArtifactRecords
from sightline.stores.sql.history import History
from sightline.stores.sql.jobs import Jobs

from .conftest import TASK, later


@pytest.fixture
def store(tmp_path):
    return DiskArtifacts(tmp_path / "artifacts")


@pytest.fixture
def forgetting(walked, store):
    return Forgetting(walked, store)


@pytest.fixture
def files(walked, store, tmp_path):
    """What the task's job left behind, and an export of it."""
    seen = History(walked).sightings(TASK.task_id)
    names = [messages.identity(TASK.task_id, number) for number in seen["identity"].tolist()]
    table = pa.table({"t_s": seen["t_s"], "identity": seen["identity"], "global_id": names})
    pq.write_table(table, tmp_path / "sightings.parquet")
    csv.write_csv(table.select(["global_id", "t_s"]), str(tmp_path / "paths.csv"))
    (tmp_path / "tracking-data.csv").write_text("all of them")
    jobs, records = Jobs(walked), ArtifactRecords(walked)
    jobs.add(Job(id=TASK.task_id, kind="site", params={"site": "yard"}, state=JobState.COMPLETED))
    jobs.add(
        Job(id="e" * 32, kind="export", params={"site": "yard"}, state=JobState.COMPLETED, finished_utc_s=time.time())
    )
    owners = {"sightings.parquet": TASK.task_id, "paths.csv": TASK.task_id, "tracking-data.csv": "e" * 32}
    for number, (name, job_id) in enumerate(owners.items()):
        stored = store.put(tmp_path / name)
        records.add(
            Artifact(
                id=f"{number:032x}", key=stored.key, name=name, media_type="x/y", n_bytes=stored.n_bytes, owner="a",
                job_id=job_id,
            )
        )  # fmt: skip
    return records


def everything(engine, store):
    """All bytes that are kept anywhere."""
    with engine.connect() as connection:
        rows = [
            str(row)
            for table in ("sightings", "places", "identities", "online_identities")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    return rows, list(store.keys_before(time.time() + 10))


def test_a_person_is_gone_from_rows_files_and_exports(walked, store, forgetting, files, ask, ids):
    corrector = Corrector(walked)
    corrector.rename(ids[1], "Anna", "ann")
    erasure = corrector.erase(ids[1], "ann")
    assert ids[1] not in {one["person_id"] for one in ask().people()}  # at once, whatever happens on the way
    forgetting.erase(erasure)
    assert set(History(walked).sightings(TASK.task_id)["identity"]) == {2, 3}
    assert set(History(walked).places(TASK.task_id)["identity"]) == {2, 3}
    left = {one.name: one for one in files.page(limit=10)}
    assert set(left) == {"sightings.parquet", "paths.csv"}
    with store.path(left["sightings.parquet"].key) as path:
        assert set(pq.read_table(path)["identity"].to_pylist()) == {2, 3}
    with store.path(left["paths.csv"].key) as path:
        assert ids[1] not in path.read_text()
    rows, keys = everything(walked, store)
    assert not [row for row in rows if ids[1] in row]
    assert set(keys) == {one.key for one in left.values()}
    assert not [one for one in corrector.kept.of("yard", undone=True) if one.kind == "rename"]
    assert forgetting.finish() == 0
    with pytest.raises(UnknownError):
        corrector.rename(ids[1], "x", "ann")


def test_of_who_was_split_and_merged_the_right_part_goes(walked, forgetting, files, ids):
    corrector = Corrector(walked)
    half = corrector.split(ids[1], 10.0, "ann")
    corrector.merge(ids[3], half.becomes, "ann")
    forgetting.erase(corrector.erase(half.becomes, "ann"))
    seen = History(walked).sightings(TASK.task_id)
    assert set(seen["identity"]) == {1, 2}
    assert seen["t_s"][seen["identity"] == 1].max() < 10.0


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.FAILED])
def test_nobody_is_forgotten_while_their_task_may_write_them_down_again(walked, ids, state):
    Jobs(walked).add(Job(id=TASK.task_id, kind="site", params={}, state=state))
    with pytest.raises(ConflictError, match="has not ended well"):
        Corrector(walked).erase(ids[1], "ann")
    assert Corrector(walked).kept.of() == []


def test_an_erasure_that_was_broken_off_is_finished(walked, forgetting, files, ids):
    Corrector(walked).erase(ids[2], "ann")
    forgetting.tidy(time.time(), None, 24.0)
    assert set(History(walked).sightings(TASK.task_id)["identity"]) == {1, 3}
    assert forgetting.finish() == 0


def test_what_is_too_old_goes_with_its_files(walked, store, forgetting, files, ids):
    Corrector(walked).rename(ids[1], "Anna", "ann")
    forgetting.tidy(time.time(), 1.0, 24.0)
    assert len(History(walked).tasks()) == 1
    forgetting.tidy(time.time() + 2 * 86_400, 1.0, 24.0)
    assert everything(walked, store) == ([], [])
    assert Corrector(walked).kept.of(undone=True) == []


def test_exports_expire_and_nothing_else(forgetting, files):
    forgetting.tidy(time.time() + 25 * 3600, None, 24.0)
    assert {one.name for one in files.page(limit=10)} == {"sightings.parquet", "paths.csv"}


def test_a_task_is_forgotten_unless_it_is_under_way(walked, store, forgetting, files):
    History(walked).begin(later())
    Jobs(walked).add(Job(id=later().task_id, kind="site", params={}, state=JobState.RUNNING))
    with pytest.raises(ConflictError, match="under way"):
        forgetting.forget_task(later().task_id)
    forgetting.forget_task(TASK.task_id)
    assert everything(walked, store) == ([], [])


def test_what_was_seen_in_a_cancelled_task_does_not_stay(walked, forgetting):
    History(walked).begin(later())
    Jobs(walked).add(Job(id=later().task_id, kind="site", params={}, state=JobState.CANCELLED))
    forgetting.tidy(time.time(), None, 24.0)
    assert History(walked).unsettled() == []
    assert np.isfinite(TASK.zero_utc_s)
