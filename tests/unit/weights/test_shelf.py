import hashlib
import json
import os
from pathlib import Path

import pytest

from sightline import weights
from sightline.errors import FormatError, OptionError, WeightsError
from sightline.weights.catalogue import Entry


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "fetched.bin"
    path.write_bytes(b"a network")
    return path


def test_what_is_added_is_found_by_name(shelf, file):
    card = weights.add("net", file, licence="MIT", source="a friend")
    assert weights.find("net") == weights.Weights(shelf / "net.onnx")
    assert (shelf / "net.onnx").read_bytes() == b"a network"
    assert weights.on_shelf() == {"net": card}
    assert card.sha256 == hashlib.sha256(b"a network").hexdigest()
    assert json.loads((shelf / "net.json").read_text())["licence"] == "MIT"


def test_what_is_removed_is_gone(shelf, file):
    weights.add("net", file)
    weights.remove("net")
    assert list(shelf.iterdir()) == []
    with pytest.raises(WeightsError, match="no weights 'net' on the shelf; there are: none"):
        weights.remove("net")


def test_a_path_needs_no_shelf(shelf, file):
    assert weights.find(str(file)).path == file
    with pytest.raises(WeightsError, match=r"gone.onnx: no such file; give an ONNX file, or a name"):
        weights.find("gone.onnx")


def test_an_absent_name_says_what_there_is_and_how_to_get_it(shelf, file):
    weights.add("net", file)
    with pytest.raises(WeightsError, match="no weights 'nett'; on the shelf: net; sightline models list"):
        weights.find("nett")
    with pytest.raises(WeightsError, match="sightline models pull yolox-nano-416, or sightline models add"):
        weights.find("yolox-nano-416")
    with pytest.raises(WeightsError, match=r"\(there: net\): sightline models add dfine-n-640 FILE"):
        weights.find("dfine-n-640")


def test_a_file_that_changed_is_not_opened(shelf, file):
    weights.add("net", file)
    (shelf / "net.onnx").write_bytes(b"A network")
    os.utime(shelf / "net.onnx", ns=(1, 1))
    with pytest.raises(WeightsError, match="not what was put on the shelf"):
        weights.find("net")
    (shelf / "net.onnx").unlink()
    with pytest.raises(WeightsError, match="gone from the shelf"):
        weights.find("net")


def test_a_file_that_was_only_touched_is_read_through_once(shelf, file):
    weights.add("net", file)
    os.utime(shelf / "net.onnx", ns=(5, 5))
    assert weights.find("net").path.is_file()
    assert weights.on_shelf()["net"].mtime_ns == 5


def test_names_that_are_paths_are_refused(shelf, file):
    for name in ("../net", "net/../../x", "", "Net", ".hidden", "net.onnx"):
        with pytest.raises(OptionError, match="cannot be called"):
            weights.add(name, file)


def test_a_name_is_given_once(shelf, file):
    weights.add("net", file)
    with pytest.raises(WeightsError, match="on the shelf already; sightline models remove net first"):
        weights.add("net", file)


def test_a_file_that_is_not_the_one_the_catalogue_means(shelf, file):
    with pytest.raises(WeightsError, match=r"not the file the catalogue means: sha256 .*; expected 695e750a"):
        weights.add("yolox-nano-416", file)
    assert list(shelf.iterdir()) == []
    with pytest.raises(WeightsError, match="no such file"):
        weights.add("net", file.with_name("gone"))


def test_a_damaged_card_is_named(shelf, file):
    weights.add("net", file)
    (shelf / "net.json").write_text("{")
    with pytest.raises(WeightsError, match=r"net.json: not a card of the shelf"):
        weights.find("net")


def test_the_shelf_is_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("SIGHTLINE_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert weights.folder().parts[-2:] == ("sightline", "models")
    monkeypatch.setenv("SIGHTLINE_MODELS", "~/nets")
    assert weights.folder() == Path.home() / "nets"


def test_every_known_network_says_its_licence_and_where_it_is_from():
    entries = weights.catalogue()
    assert len(entries) > 10
    for name, entry in entries.items():
        assert isinstance(entry, Entry)
        assert entry.licence
        assert entry.source.startswith("https://")
        assert entry.url or entry.how, name
        assert entry.sha256 is None or len(bytes.fromhex(entry.sha256)) == 32
        assert entry.url is None or entry.url.startswith("https://")


def test_a_catalogue_of_ones_own(shelf):
    shelf.mkdir()
    own = shelf / "catalogue.toml"
    own.write_text("[net]\nwhat = 'w'\nlicence = 'MIT'\nsource = 's'\nnames = ['a', 'b']\n")
    assert weights.catalogue(shelf)["net"].names == ("a", "b")
    assert "yolox-nano-416" in weights.catalogue(shelf)
    own.write_text("[net]\nwhat = 'w'\nlicense = 'MIT'\nsource = 's'\n")
    with pytest.raises(FormatError, match=r"catalogue.toml: entry 'net': unknown field 'license'; fields are"):
        weights.catalogue(shelf)
    own.write_text("[net\n")
    with pytest.raises(FormatError, match="not TOML"):
        weights.catalogue(shelf)


@pytest.mark.shared
def test_the_catalogue_knows_the_real_files(shared, shelf):
    sums = dict(reversed(line.split()) for line in (shared / "models/SHA256SUMS").read_text().splitlines())
    known = {entry.sha256: entry for entry in weights.catalogue().values()}
    for file, sha256 in sums.items():
        path = shared / "models" / file
        assert known[sha256].n_bytes == path.stat().st_size
    assert weights.find(str(shared / "models/light_person_detector.onnx")).names == ("person",)
    assert weights.add("light-person-192", shared / "models/light_person_detector.onnx").names == ("person",)
