"""``sightline models`` as a user meets it."""

import functools
import hashlib
import io
import json
import re
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sightline.cli.models import app
from sightline.errors import SightlineError

BODY = b"a network" * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words):
        pass


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A shelf of its own, in whose catalogue is ``net``, served on this machine."""
    served, shelf = tmp_path / "served", tmp_path / "shelf"
    served.mkdir()
    shelf.mkdir()
    (served / "net.onnx").write_bytes(BODY)
    monkeypatch.setenv("SIGHTLINE_MODELS", str(shelf))
    monkeypatch.setenv("COLUMNS", "200")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served)) as server:
        (shelf / "catalogue.toml").write_text(
            f"[net]\nwhat = 'A net.'\nlicence = 'MIT'\nsource = 'https://example.org/net'\ncommercial = true\n"
            f"url = 'http://127.0.0.1:{server.server_port}/net.onnx'\nsha256 = '{SHA256}'\nn_bytes = {len(BODY)}\n"
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield shelf
        server.shutdown()
        thread.join()


@pytest.fixture
def models(shelf, monkeypatch, capsys):
    """Runs ``sightline models`` in this process, since starting another takes a second; errors as main shows them."""

    def call(*words, typed=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = 0
        try:
            app([str(word) for word in words], standalone_mode=False)
        except SightlineError as error:
            sys.stderr.write(f"sightline: {error}\n")
            code = 2
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, printed.out, printed.err)

    return call


def one_line(result, *words):
    assert result.returncode == 2, result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("sightline: ")
    assert all(word in last for word in words), last
    return True


def listed(models):
    return {row["name"]: row for row in json.loads(models("list", "--json").stdout)["models"]}


def test_the_list_says_licence_size_and_what_is_here(models):
    done = models("list")
    assert done.returncode == 0, done.stderr
    assert re.search(r"yolox-nano-416 +pull +Apache-2.0 +any +3.7 MB +YOLOX-Nano, COCO, 25.8 AP", done.stdout)
    assert re.search(r"dfine-n-640 +by hand +Apache-2.0", done.stdout)
    assert re.search(r"yolox-s-640 +pull --sha256 +Apache-2.0", done.stdout)
    rows = listed(models)
    assert not any(row["installed"] for row in rows.values())
    assert rows["yolox-nano-416"]["sha256"].startswith("695e750a")


def test_a_network_is_pulled_listed_and_removed(models, shelf):
    done = models("pull", "net", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sha256"] == SHA256
    assert "licence MIT, 9.0 kB; see https://example.org/net" in done.stderr
    assert (shelf / "net.onnx").read_bytes() == BODY
    assert listed(models)["net"]["installed"]
    assert one_line(models("pull", "net", "--yes"), "on the shelf already")
    assert models("remove", "net").returncode == 0
    assert not listed(models)["net"]["installed"]
    assert one_line(models("remove", "net"), "no weights 'net' on the shelf")


def test_nothing_is_downloaded_without_a_yes(models, shelf):
    for typed in ("n\n", ""):
        refused = models("pull", "net", typed=typed)
        assert refused.returncode == 2
        assert refused.stderr.endswith("sightline: net not downloaded; --yes answers beforehand\n")
    assert not (shelf / "net.onnx").exists()
    assert models("pull", "net", typed="y\n").returncode == 0
    assert (shelf / "net.onnx").exists()


def test_weights_that_may_not_be_used_commercially_say_so_before_they_are_pulled(models):
    refused = models("pull", "vggt-1b", typed="n\n")
    assert refused.returncode == 2
    assert (
        "licence CC-BY-NC-4.0; see https://huggingface.co/facebook/VGGT-1B\nnot for commercial use\n" in refused.stderr
    )
    assert one_line(models("pull", "vggt-1b-commercial", "--yes"), "ask for access on that page", "models add")


def test_a_wrong_file_is_refused(models, shelf):
    served = shelf.with_name("served") / "net.onnx"
    served.write_bytes(BODY[::-1])
    assert one_line(models("pull", "net", "--yes"), "not the file expected: sha256", SHA256)
    served.unlink()
    assert one_line(models("pull", "net", "--yes"), "the server says 404", "sightline models add net FILE")
    assert [path.name for path in shelf.iterdir()] == ["catalogue.toml"]


def test_a_file_fetched_by_hand_is_added(models, tmp_path):
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"mine")
    done = models("add", "my-net", mine, "--licence", "MIT", "--source", "me")
    assert done.returncode == 0, done.stderr
    assert "my-net is on the shelf" in done.stderr
    assert (listed(models)["my-net"]["licence"], listed(models)["my-net"]["installed"]) == ("MIT", True)
    assert one_line(models("add", "my-net", mine), "on the shelf already")
    assert one_line(models("add", "My Net", mine), "cannot be called 'My Net'")
    assert one_line(models("add", "yolox-nano-416", mine), "not the file the catalogue means")
    assert one_line(models("pull", "nothing"), "no weights 'nothing' in the catalogue")


@pytest.mark.shared
def test_a_video_is_tracked_by_the_name_of_a_network(shelf, sightline, shared):
    video = shared / "data/tracking/PETS09/pets09_s2l1_view001_480x360.mp4"
    added = sightline("models", "add", "yolox-nano-416", shared / "models/yolox_nano_416.onnx", "--json")
    assert json.loads(added.stdout)["licence"] == "Apache-2.0"
    words = ("--weights", "yolox-nano-416", "--classes", "person", "--stabilizer", "none", "--end", 2, "--no-video")
    done = sightline("track", video, "-o", "out", *words, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tracks"] >= 4
    absent = sightline("track", video, "-o", "other", "--weights", "yolox-s-640", "--stabilizer", "none")
    assert one_line(absent, "not on the shelf (there: yolox-nano-416): sightline models pull yolox-s-640")
