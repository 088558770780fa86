"""Where artifacts go, and what is particular to each place."""

import os
import stat
from pathlib import Path

import pytest

from sightline.errors import OptionError, StoreError
from sightline.stores.artifacts import DiskArtifacts, S3Artifacts, artifacts_at
from sightline.stores.artifacts import disk as disk_module

FDS = Path("/proc/self/fd")


@pytest.fixture
def given(tmp_path):
    path = tmp_path / "given.bin"
    path.write_bytes(b"content")
    return path


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_a_folder_is_a_store(tmp_path, given, form):
    folder = tmp_path / "a folder"
    store = artifacts_at(form.format(folder).replace(" ", "%20" if "://" in form else " "))
    assert isinstance(store, DiskArtifacts)
    key = store.put(given).key
    assert (folder / key[:2] / key[2:]).read_bytes() == b"content"


def test_a_bucket_is_a_store():
    assert isinstance(artifacts_at("s3://bucket/prefix"), S3Artifacts)


@pytest.mark.parametrize("url", ["", " ", "http://host/x", "file://elsewhere/x", "file:///", "s3://", "s3://B/x"])
def test_nothing_else_is(url):
    with pytest.raises(OptionError, match="artifacts: "):
        artifacts_at(url)


@pytest.mark.parametrize("url", ["s3://bucket/../x", "s3://bucket/x?y", "s3://user:word@bucket", "s3://bucket//x"])
def test_a_bucket_has_a_plain_name(url):
    with pytest.raises(OptionError) as caught:
        S3Artifacts(url)
    assert "word" not in str(caught.value)


def test_what_s3_is_told_must_be_known_to_it():
    with pytest.raises(OptionError, match="nonsense"):
        S3Artifacts("s3://bucket", nonsense="yes")


def test_an_endpoint_that_is_not_there_is_said_in_one_line_without_keys(given):
    store = S3Artifacts("s3://bucket", endpoint="http://127.0.0.1:9", access_key_id="me", secret_access_key="hush")
    with pytest.raises(StoreError, match="s3://bucket: ") as caught:
        store.put(given)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path, given):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file: not a directory"):
        DiskArtifacts(tmp_path / "file").put(given)


def test_a_kept_file_costs_no_second_copy_and_cannot_be_written(tmp_path, given):
    store = DiskArtifacts(tmp_path / "store")
    with store.path(store.put(given).key) as path:
        assert path.samefile(given)
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222


def test_between_file_systems_it_is_a_copy(tmp_path, given, monkeypatch):
    """There is no second file system to rely on, so the system call says what it would say."""

    def no_link(*_, **__):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    store = DiskArtifacts(tmp_path / "store")
    with store.path(store.put(given).key) as path:
        assert path.read_bytes() == b"content"
        assert not path.samefile(given)
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222
    assert len([p for p in (tmp_path / "store").rglob("*") if p.is_file()]) == 1


def test_a_file_cut_off_by_a_power_cut_is_put_right(tmp_path, given):
    store = DiskArtifacts(tmp_path / "store")
    key = store.put(given).key
    place = tmp_path / "store" / key[:2] / key[2:]
    place.unlink()
    place.write_bytes(b"cont")
    assert store.put(given).n_bytes == store.n_bytes(key) == 7


def test_what_a_killed_writer_left_is_removed_in_time(tmp_path, given, monkeypatch):
    store = DiskArtifacts(tmp_path / "store")
    key = store.put(given).key
    store.delete(key)
    left = tmp_path / "store" / key[:2] / ".left-over"
    left.write_bytes(b"half")
    store.put(given)
    assert left.exists()
    store.delete(key)
    monkeypatch.setattr(disk_module, "_STALE_S", -1.0)
    store.put(given)
    assert not left.exists()
    assert store.n_bytes(key) == 7


def test_what_is_being_read_can_be_deleted(tmp_path):
    path = tmp_path / "given.bin"
    path.write_bytes(b"x" * 3_000_000)
    store = DiskArtifacts(tmp_path / "store")
    key = store.put(path).key
    pieces = store.open(key, 0, 3_000_000)
    read = len(next(pieces))
    store.delete(key)
    assert read + sum(map(len, pieces)) == 3_000_000


def test_a_reader_that_stops_half_way_keeps_nothing_open(tmp_path):
    path = tmp_path / "given.bin"
    path.write_bytes(b"x" * 3_000_000)
    store = DiskArtifacts(tmp_path / "store")
    pieces = store.open(store.put(path).key, 0, 3_000_000)
    next(pieces)
    n_open = len(list(FDS.iterdir()))
    pieces.close()
    assert len(list(FDS.iterdir())) == n_open - 1
