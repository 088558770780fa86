"""Reconstructions as jobs, over a real database and a real store; the test does what a worker would do."""

import asyncio
import hashlib
import uuid
from dataclasses import replace

import pytest

from sightline.errors import AbsentError, ConflictError, EngineError, OptionError, StoreError, UnknownError
from sightline.model.artifact import Artifact
from sightline.model.job import JobState
from sightline.server.changes import Changes
from sightline.server.installation import opened
from sightline.server.tcp.desk import KIND, ReconstructionDesk
from sightline.settings import load

from .conftest import JPEG, MP4, glb


@pytest.fixture
def installation(tmp_path):
    with opened(load(data_folder=tmp_path / "data", tcp={"unfinished_per_user": 3, "video_fps": 0.8})) as one:
        yield one


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "img_000.jpg", tmp_path / "img_001.jpg"]
    for number, path in enumerate(paths):
        path.write_bytes(JPEG + bytes([number]))
    return paths


def with_desk(installation, talk):
    """What comes of ``talk``, given a desk, on a loop of its own."""

    async def all_of_it():
        changes = Changes(installation.jobs)
        try:
            return await asyncio.wait_for(talk(ReconstructionDesk(installation, changes)), 30)
        finally:
            await changes.close()

    return asyncio.run(all_of_it())


def work(installation, tmp_path, job_id, made, name="scene.glb"):
    """What a worker does."""
    (job,) = [job for job in installation.jobs.claim([KIND], 10) if job.id == job_id]
    path = tmp_path / name
    path.write_bytes(made)
    stored = installation.artifacts.put(path)
    file = Artifact(
        id=uuid.uuid4().hex,
        key=stored.key,
        name=name,
        media_type="model/gltf-binary",
        n_bytes=stored.n_bytes,
        owner=job.owner,
        job_id=job.id,
    )
    installation.files.add(file)
    result = {"artifacts": [{"id": file.id, "name": name, "n_bytes": file.n_bytes}]}
    installation.jobs.move(job.id, JobState.COMPLETED, result=result)
    return file


def submit(installation, files, owner="ann", *, is_near=False):
    return with_desk(installation, lambda desk: desk.submit(files, owner, is_near=is_near))


def test_images_become_kept_files_and_a_job_that_names_them_in_order(installation, files):
    job = installation.jobs.get(submit(installation, files))
    assert (job.kind, job.owner, job.state) == (KIND, "ann", JobState.QUEUED)
    assert (job.params["video_fps"], job.params["engine"]) == (0.8, "sfm")
    assert (job.params["filters"]["confidence_percentile"], job.params["filters"]["show_cameras"]) == (3.0, False)
    kept = [installation.files.get(source.removeprefix("artifact:")) for source in job.params["sources"]]
    assert [file.name for file in kept] == ["img_000.jpg", "img_001.jpg"]
    assert [b"".join(installation.artifacts.open(file.key, 0, file.n_bytes)) for file in kept] == [
        path.read_bytes() for path in files
    ]


def test_what_a_worker_makes_is_the_result_and_found_by_its_hash(installation, files, tmp_path):
    made = glb(300_000)
    job_id = submit(installation, files)

    async def wait_and_work(desk):
        waiting = asyncio.create_task(desk.result(job_id))
        await asyncio.sleep(0)
        await asyncio.to_thread(work, installation, tmp_path, job_id, made)
        return await waiting

    found = with_desk(installation, wait_and_work)
    assert (found.hash, found.n_bytes) == (hashlib.sha256(made).hexdigest(), len(made))
    assert b"".join(found.pieces()) == made
    again = with_desk(installation, lambda desk: desk.find(found.hash))
    assert b"".join(again.pieces()) == made


def test_pictures_go_when_the_scene_is_made_or_the_job_goes(installation, files, tmp_path):
    made, failed = submit(installation, files), submit(installation, files)
    work(installation, tmp_path, made, glb(400))
    with_desk(installation, lambda desk: desk.result(made))
    assert [file.name for file in installation.files.page(job_id=made)] == ["scene.glb"]
    assert {file.name for file in installation.files.page(job_id=failed)} == {"img_000.jpg", "img_001.jpg"}
    installation.files.delete_of_job(failed)
    assert [file.name for file in installation.files.page()] == ["scene.glb"]


def test_clients_on_this_machine_get_as_many_points_as_the_settings_say(installation, files):
    def most(near, **tcp):
        settings = load(data_folder=installation.settings.data_folder, tcp=tcp)
        job = submit(replace(installation, settings=settings), files, is_near=near)
        return installation.jobs.get(job).params["filters"]["max_points"]

    assert [most(True), most(False), most(True, local_points=0), most(True, local_points=9)] == [3500, None, None, 9]


def test_a_job_that_was_done_before_anybody_waited_is_the_result(installation, files, tmp_path):
    job_id = submit(installation, files)
    file = work(installation, tmp_path, job_id, glb(400))
    assert with_desk(installation, lambda desk: desk.result(job_id)).hash == file.key


def test_a_job_that_fails_is_cancelled_or_makes_nothing_says_so(installation, files, tmp_path):
    failing, cancelled, useless = (submit(installation, files) for _ in range(3))
    installation.jobs.move(failing, JobState.FAILED, error="too few images fit together")
    installation.desk.cancel(cancelled)
    work(installation, tmp_path, useless, b"ply", "scene.ply")
    for job_id, why in ((failing, "too few images"), (cancelled, "cancelled"), (useless, "no GLB")):
        with pytest.raises(EngineError, match=why):
            with_desk(installation, lambda desk, job_id=job_id: desk.result(job_id))
    with pytest.raises(UnknownError):
        with_desk(installation, lambda desk: desk.result("f" * 32))


def test_the_hash_of_an_upload_or_of_anything_else_opens_nothing(installation, tmp_path):
    video = tmp_path / "video"
    video.write_bytes(MP4)
    submit(installation, [video])
    other = Artifact(id="a" * 32, key="b" * 64, name="secret.glb", media_type="", n_bytes=1, owner="ann")
    installation.files.add(other)
    for digits in (hashlib.sha256(MP4).hexdigest(), other.key, "0" * 64):
        with pytest.raises(UnknownError):
            with_desk(installation, lambda desk, digits=digits: desk.find(digits))


def test_a_result_that_is_gone_is_said_to_be_gone(installation, files, tmp_path):
    file = work(installation, tmp_path, submit(installation, files), glb(400))
    installation.artifacts.delete(file.key)
    with pytest.raises(AbsentError):
        with_desk(installation, lambda desk: desk.find(file.key))
    installation.files.delete(file.id)
    with pytest.raises(UnknownError):
        with_desk(installation, lambda desk: desk.find(file.key))


def test_one_user_gets_so_many_at_once(installation, files):
    first, *_ = [submit(installation, files) for _ in range(3)]
    with pytest.raises(ConflictError, match="ann has 3 reconstructions"):
        submit(installation, files)
    submit(installation, files, "bob")
    installation.desk.cancel(first)
    submit(installation, files)


def test_uploads_that_cannot_all_be_kept_are_none_of_them_kept(installation, files):
    files[1].unlink()
    with pytest.raises(StoreError):
        submit(installation, files)
    assert not installation.files.page()
    assert not installation.jobs.page()


def test_an_engine_that_there_is_not_is_named_and_nothing_is_kept(installation, files):
    settings = load(data_folder=installation.settings.data_folder, tcp={"engine": "absent"})
    with pytest.raises(OptionError, match="no reconstructor 'absent'"):
        submit(replace(installation, settings=settings), files)
    assert not installation.files.page()
