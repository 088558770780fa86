"""Folders of numbered pictures, with readers in other threads and writers in other processes."""

import os
import subprocess
import sys
import threading
import time

import pytest

from sightline.errors import ConflictError, StoreError
from sightline.stores import frames
from sightline.stores.frames import FrameFolder

HOLD = """
import sys, time
from pathlib import Path
from sightline.stores.frames import FrameFolder
with FrameFolder(Path(sys.argv[1])) as folder:
    (Path(sys.argv[1]) / ".frame.part").write_bytes(b"half a pict")
    print("held", flush=True)
    time.sleep(60)
"""


def names(folder):
    return sorted(path.name for path in folder.glob("*.jpg"))


def numbers(folder):
    """In the order of their names."""
    return [int(name[6:-4]) for name in names(folder)]


def fill(folder, first, last):
    folder.mkdir(exist_ok=True)
    for number in range(first, last + 1):
        (folder / f"frame_{number:04d}.jpg").write_bytes(b"x")


def test_pictures_are_numbered_from_one(tmp_path):
    with FrameFolder(tmp_path / "gate") as folder:
        paths = [folder.append(b"one"), folder.append(b"two")]
    assert [path.name for path in paths] == ["frame_0001.jpg", "frame_0002.jpg"]
    assert paths[1].read_bytes() == b"two"
    assert names(tmp_path / "gate") == ["frame_0001.jpg", "frame_0002.jpg"]


@pytest.mark.parametrize(("floor", "expected"), [(1, 8), (5, 8), (100, 100)])
def test_numbers_go_on_after_a_restart(tmp_path, floor, expected):
    fill(tmp_path, 3, 7)
    with FrameFolder(tmp_path, next_number=floor) as folder:
        folder.append(b"x")
        assert folder.last_number == expected


def test_numbers_go_on_after_clearing(tmp_path):
    with FrameFolder(tmp_path) as folder:
        folder.append(b"x")
        folder.clear()
        assert names(tmp_path) == []
        assert folder.append(b"x").name == "frame_0002.jpg"


@pytest.mark.parametrize("limit", [{"keep_count": 3}, {"keep_bytes": 35}])
def test_the_oldest_go_when_there_are_too_many(tmp_path, limit):
    fill(tmp_path, 1, 20)
    with FrameFolder(tmp_path, **limit) as folder:
        for _ in range(5):
            folder.append(b"0123456789")
        assert numbers(tmp_path) == [23, 24, 25]


def test_the_oldest_go_when_they_are_too_old_but_not_the_newest(tmp_path):
    fill(tmp_path, 1, 4)
    for number in (1, 2):
        os.utime(tmp_path / f"frame_{number:04d}.jpg", (1000, 1000))
    with FrameFolder(tmp_path, keep_age_s=3600.0) as folder:
        assert numbers(tmp_path) == [3, 4]
        folder.append(b"x")
    for path in tmp_path.glob("*.jpg"):
        os.utime(path, (1000, 1000))
    with FrameFolder(tmp_path, keep_age_s=3600.0):
        assert numbers(tmp_path) == [5]


def test_one_larger_than_all_that_may_be_kept_is_kept(tmp_path):
    with FrameFolder(tmp_path, keep_bytes=5) as folder:
        folder.append(b"0123456789")
        folder.append(b"9876543210")
    assert numbers(tmp_path) == [2]


def test_what_was_deleted_by_others_is_no_trouble(tmp_path):
    with FrameFolder(tmp_path, keep_count=2) as folder:
        folder.append(b"x").unlink()
        for _ in range(3):
            folder.append(b"x")
    assert numbers(tmp_path) == [3, 4]


@pytest.mark.parametrize("digits", [4, 5])
def test_names_still_sort_when_another_digit_is_needed(tmp_path, digits):
    last = 10**digits - 1
    for number in range(last - 20, last):
        (tmp_path / f"frame_{number}.jpg").write_bytes(str(number).encode())
    with FrameFolder(tmp_path, keep_count=15) as folder:
        for number in range(last, last + 5):
            assert folder.append(str(number).encode()).name == f"frame_{number}.jpg"
            assert numbers(tmp_path) == list(range(number - 14, number + 1))
    assert all(int(path.read_bytes()) == int(path.stem[6:]) for path in tmp_path.iterdir() if path.suffix == ".jpg")
    assert {len(name) for name in names(tmp_path)} == {len("frame_.jpg") + digits + 1}


def test_names_sort_at_every_moment_of_that(tmp_path):
    fill(tmp_path, 1, 9999)
    unsorted = []
    replace = type(tmp_path).replace

    def watched(path, target):
        found = replace(path, target)
        if int(target.stem[6:]) % 997 == 0:
            listed = numbers(tmp_path)
            unsorted.extend(listed if listed != sorted(listed) else [])
            assert len(listed) >= 9999
        return found

    with pytest.MonkeyPatch.context() as patch, FrameFolder(tmp_path) as folder:
        patch.setattr(type(tmp_path), "replace", watched)
        folder.append(b"x")
    assert not unsorted
    assert numbers(tmp_path) == list(range(1, 10_001))


def test_renames_that_were_cut_short_are_finished(tmp_path):
    fill(tmp_path, 9990, 9999)
    for number in range(9990, 9995):
        (tmp_path / f"frame_{number}.jpg").rename(tmp_path / f"frame_0{number}.jpg")
    with FrameFolder(tmp_path) as folder:
        assert names(tmp_path) == [f"frame_0{number}.jpg" for number in range(9990, 10000)]
        assert folder.append(b"x").name == "frame_10000.jpg"


def test_two_writers_never_have_one_folder(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "gate"], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ConflictError, match="another process writes pictures there"):
            FrameFolder(tmp_path / "gate")
        with pytest.raises(ConflictError):
            frames.remove_all(tmp_path / "gate")
    finally:
        holder.kill()
        holder.wait(10)
        holder.stdout.close()
    with FrameFolder(tmp_path / "gate") as folder:
        assert [path.name for path in (tmp_path / "gate").iterdir()] == [".lock"]
        folder.append(b"x")
    assert frames.remove_all(tmp_path / "gate") == 1
    assert not (tmp_path / "gate").exists()
    assert frames.remove_all(tmp_path / "gate") == 0


def test_readers_find_the_newest_by_number(tmp_path):
    assert frames.newest(tmp_path / "none") is None
    assert frames.count(tmp_path / "none") == 0
    assert frames.newest(tmp_path) is None
    fill(tmp_path, 98, 102)
    (tmp_path / "frame_0999.txt").touch()
    (tmp_path / "snap.jpg").touch()
    os.utime(tmp_path / "frame_0102.jpg", (5, 5))
    assert frames.newest(tmp_path) == (tmp_path / "frame_0102.jpg", 5.0)
    assert frames.count(tmp_path) == 5


def test_readers_only_ever_see_whole_pictures(tmp_path):
    done, seen = threading.Event(), []

    def read():
        while not done.is_set():
            found = frames.newest(tmp_path)
            for path in [found[0]] if found else []:
                try:
                    seen.append(len(path.read_bytes()))
                except FileNotFoundError:
                    seen.append(200_000)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with FrameFolder(tmp_path, keep_count=2, next_number=9950) as folder:
            until = time.monotonic() + 30
            while (len(seen) < 50 or folder.last_number < 10_050) and time.monotonic() < until:
                folder.append(bytes(200_000))
    finally:
        done.set()
        reader.join(10)
    assert len(seen) >= 50
    assert set(seen) == {200_000}


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file"):
        FrameFolder(tmp_path / "file" / "gate")
    with FrameFolder(tmp_path / "gate") as folder:
        (tmp_path / "gate" / "frame_0001.jpg").mkdir()
        with pytest.raises(StoreError, match=r"frame_0001\.jpg: ") as caught:
            folder.append(b"x")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "gate" / ".frame.part").exists()
