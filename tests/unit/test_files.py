"""Files that are whole or not there."""

import errno

import pytest

from sightline.files import whole


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with whole(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        assert partial.suffix == ".txt"
    assert path.read_text() == "half"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with whole(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_name_the_file_the_user_knows(tmp_path):
    path = tmp_path / "a.txt"

    def fail():
        with whole(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*/a\.txt'"):
        fail()


def test_a_folder_in_the_way_is_named(tmp_path):
    def fail():
        with whole(tmp_path) as partial:
            partial.write_text("x")

    with pytest.raises(OSError, match=tmp_path.name):
        fail()
