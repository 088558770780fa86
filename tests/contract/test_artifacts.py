"""What every store of artifacts promises, asked of a folder and of a real S3 endpoint."""

import hashlib
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from sightline.errors import AbsentError, StoreError
from sightline.stores.artifacts import Artifacts, DiskArtifacts, S3Artifacts

NUMBER = count()
KEYS = {"access_key_id": "some", "secret_access_key": "thing", "region": "us-east-1"}
NO_KEYS = [
    "",
    "ab",
    "a" * 63,
    "a" * 65,
    "A" * 64,
    "a" * 64 + "\n",
    "../" + "a" * 61,
    "aa/../../../etc/passwd",
    "/etc/passwd",
    "é" * 64,
    "٣" * 64,
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def endpoint():
    """An S3 endpoint in a process of its own, so that its memory is not taken for ours."""
    port = free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], **quiet)
    try:
        for _ in range(400):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait(10)


@pytest.fixture(params=["disk", "s3"])
def kind(request):
    return request.param


@pytest.fixture
def where(kind, request, tmp_path):
    """A new and empty place."""
    if kind == "disk":
        return {"folder": tmp_path / "store"}
    endpoint = request.getfixturevalue("endpoint")
    bucket = f"bucket{next(NUMBER)}"
    httpx.put(f"{endpoint}/{bucket}", trust_env=False).raise_for_status()
    return {"url": f"s3://{bucket}/some/prefix", "endpoint": endpoint, **KEYS}


@pytest.fixture
def store(where) -> Artifacts:
    return DiskArtifacts(**where) if "folder" in where else S3Artifacts(**where)


@pytest.fixture
def kept(where):
    """Names of all that lies in the place, whole or not."""

    def names():
        if "folder" in where:
            return sorted(str(p.relative_to(where["folder"])) for p in where["folder"].rglob("*") if p.is_file())
        bucket = where["endpoint"] + "/" + where["url"].split("/")[2]
        listed = httpx.get(bucket, trust_env=False).text + httpx.get(f"{bucket}?uploads", trust_env=False).text
        return sorted(part.split("</Key>")[0].removeprefix("some/prefix/") for part in listed.split("<Key>")[1:])

    return names


@pytest.fixture
def a_file(tmp_path):
    def make(content):
        path = tmp_path / f"given{next(NUMBER)}.bin"
        path.write_bytes(content)
        return path

    return make


def test_what_is_kept_comes_back_under_the_digest_of_its_bytes(store, a_file, kept):
    content = os.urandom(300_000)
    stored = store.put(a_file(content))
    digest = hashlib.sha256(content).hexdigest()
    assert (stored.key, stored.sha256, stored.n_bytes) == (digest, digest, len(content))
    assert store.n_bytes(stored.key) == len(content)
    assert b"".join(store.open(stored.key, 0, len(content))) == content
    assert kept() == [f"{digest[:2]}/{digest[2:]}"]


def test_the_given_file_stays_where_it_was(store, a_file):
    path = a_file(b"mine")
    store.put(path)
    assert path.read_bytes() == b"mine"
    path.unlink()
    assert b"".join(store.open(hashlib.sha256(b"mine").hexdigest(), 0, 4)) == b"mine"


@pytest.mark.parametrize(("start", "end"), [(0, 0), (0, 1), (10, 300), (9_999_999, 10_000_000), (4_194_303, 8_388_609)])
def test_any_range_can_be_read(store, a_file, start, end):
    content = os.urandom(10_000_000)
    key = store.put(a_file(content)).key
    assert b"".join(store.open(key, start, end)) == content[start:end]


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 1), (0, 4), (4, 4)])
def test_a_range_outside_the_file_is_the_callers_mistake(store, a_file, start, end):
    key = store.put(a_file(b"abc")).key
    with pytest.raises(ValueError, match="3 bytes"):
        store.open(key, start, end)


def test_an_empty_file_can_be_kept(store, a_file):
    key = store.put(a_file(b"")).key
    assert store.n_bytes(key) == 0
    assert list(store.open(key, 0, 0)) == []


def test_the_same_bytes_are_kept_once(store, a_file, kept):
    first = store.put(a_file(b"twice"))
    assert store.put(a_file(b"twice")) == first
    assert len(kept()) == 1


def test_what_is_deleted_is_gone_and_may_be_deleted_again(store, a_file, kept):
    key = store.put(a_file(b"away")).key
    store.delete(key)
    store.delete(key)
    assert kept() == []
    with pytest.raises(AbsentError, match=key):
        store.n_bytes(key)
    with pytest.raises(AbsentError, match=key):
        store.open(key, 0, 1)
    with pytest.raises(AbsentError, match=key), store.path(key):
        pass


def test_what_was_deleted_can_be_kept_again(store, a_file):
    key = store.put(a_file(b"again")).key
    store.delete(key)
    assert store.put(a_file(b"again")).key == key
    assert store.n_bytes(key) == 5


@pytest.mark.parametrize("key", NO_KEYS)
def test_what_is_no_key_finds_and_deletes_nothing(store, a_file, kept, key):
    store.put(a_file(b"here"))
    for ask in (store.n_bytes, lambda key: store.open(key, 0, 1), lambda key: store.path(key).__enter__()):
        with pytest.raises(AbsentError, match="no artifact"):
            ask(key)
    store.delete(key)
    assert len(kept()) == 1


def test_engines_get_a_local_file(store, a_file):
    content = os.urandom(6_000_000)
    with store.path(store.put(a_file(content)).key) as path:
        assert path.read_bytes() == content


def test_many_may_keep_the_same_and_different_files_at_once(store, a_file, kept):
    contents = [bytes([index % 4]) * 400_000 for index in range(24)]
    paths = [a_file(content) for content in contents]
    with ThreadPoolExecutor(8) as pool:
        keys = [stored.key for stored in pool.map(store.put, paths)]
    assert len(set(keys)) == 4
    assert len(kept()) == 4
    for key, content in zip(keys, contents, strict=True):
        assert b"".join(store.open(key, 0, len(content))) == content


def test_a_reader_sees_a_whole_file_or_none(store, a_file):
    content = os.urandom(12_000_000)
    path, key = a_file(content), hashlib.sha256(content).hexdigest()
    sizes = set()
    with ThreadPoolExecutor(1) as pool:
        put = pool.submit(store.put, path)
        while not put.done():
            try:
                sizes.add(store.n_bytes(key))
            except AbsentError:
                sizes.add(None)
            time.sleep(0.001)
        put.result()
    assert sizes <= {None, len(content)}


@pytest.mark.parametrize("what", ["missing", "folder", "link", "pipe"])
def test_only_regular_files_are_kept(store, tmp_path, kept, what):
    path = tmp_path / "given"
    if what == "folder":
        path.mkdir()
    elif what == "link":
        path.symlink_to("/etc/hostname")
    elif what == "pipe":
        os.mkfifo(path)
    with pytest.raises(StoreError, match=str(path)):
        store.put(path)
    assert kept() == []


def test_a_file_that_is_still_written_to_is_refused_and_nothing_is_kept(store, a_file, kept):
    path, over = a_file(os.urandom(30_000_000)), threading.Event()

    def write():
        with path.open("r+b") as file:
            while not over.is_set():
                file.seek(0)
                file.write(os.urandom(16))
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(StoreError, match="changed"):
            store.put(path)
    finally:
        over.set()
        writer.join(10)
    assert kept() == []


WEIGH = """
import resource, sys
from pathlib import Path
from sightline.stores.artifacts import DiskArtifacts, S3Artifacts
where = {where}
store = DiskArtifacts(Path(where["folder"])) if "folder" in where else S3Artifacts(**where)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
stored = store.put(Path({path!r}))
n_bytes = sum(len(piece) for piece in store.open(stored.key, 0, stored.n_bytes))
print(n_bytes, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(where, tmp_path):
    path = tmp_path / "big.bin"
    with path.open("wb") as file:
        file.truncate(200 << 20)
    where = {name: str(value) for name, value in where.items()}
    script = textwrap.dedent(WEIGH.format(where=where, path=str(path)))
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    n_bytes, grown_mib = map(int, told.stdout.split())
    assert n_bytes == 200 << 20
    assert grown_mib < 100


def test_what_was_put_long_ago_is_told_from_what_was_put_lately(store, a_file):
    first = store.put(a_file(b"first"))
    assert list(store.keys_before(time.time() - 60)) == []
    assert set(store.keys_before(time.time() + 60)) >= {first.key}
