"""Kept bytes go when nobody refers to them, and not before."""

import time
from uuid import uuid4

import pytest

from sightline.errors import AbsentError
from sightline.jobs.orphans import sweep
from sightline.model.artifact import Artifact
from sightline.stores.artifacts import DiskArtifacts
from sightline.stores.sql.artifacts import ArtifactRecords
from sightline.stores.sql.database import database_at


@pytest.fixture
def store(tmp_path):
    return DiskArtifacts(tmp_path / "kept")


@pytest.fixture
def files(tmp_path):
    engine = database_at(f"sqlite:///{tmp_path / 'rows.db'}")
    yield ArtifactRecords(engine)
    engine.dispose()


def put(store, tmp_path, text):
    path = tmp_path / uuid4().hex
    path.write_text(text)
    return store.put(path)


def note(files, stored, **more):
    given = {"name": "a", "media_type": "text/plain", "owner": "ann", "n_bytes": stored.n_bytes, "key": stored.key}
    return files.add(Artifact(id=uuid4().hex, **given, **more))


def test_what_nobody_has_goes_and_what_somebody_has_stays(store, files, tmp_path):
    mine, nobodys = put(store, tmp_path, "mine"), put(store, tmp_path, "nobody's")
    noted = note(files, mine)
    assert sweep(store, files, time.time() + 7200) == 1
    assert store.n_bytes(mine.key) == 4
    with pytest.raises(AbsentError):
        store.n_bytes(nobodys.key)
    files.delete(noted.id)
    assert sweep(store, files, time.time() + 7200) == 1
    with pytest.raises(AbsentError):
        store.n_bytes(mine.key)


def test_what_was_just_put_is_left_alone(store, files, tmp_path):
    put(store, tmp_path, "about to be noted")
    assert sweep(store, files, time.time()) == 0


def test_what_is_put_again_counts_as_new(store, files, tmp_path):
    put(store, tmp_path, "again")
    time.sleep(0.05)
    middle = time.time()
    time.sleep(0.05)
    stored = put(store, tmp_path, "again")
    assert sweep(store, files, middle, grace_s=0.0) == 0
    assert store.n_bytes(stored.key) == 5


def test_files_of_forgotten_jobs_are_forgotten(store, files, tmp_path):
    stored = put(store, tmp_path, "came of a job")
    noted = note(files, stored, job_id="0" * 32)
    files.delete_of_gone_jobs(time.time() - 60)
    assert files.get(noted.id) == noted, "it is too young"
    files.delete_of_gone_jobs(time.time() + 60)
    assert files.page() == []
