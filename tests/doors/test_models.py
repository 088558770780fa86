"""``sightline models`` as a user meets it."""

import functools
import hashlib
import json
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

BODY = b"a network" * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words):
        pass


@pytest.fixture
def models(sightline, tmp_path):
    """Runs ``sightline models`` with a shelf of its own, in whose catalogue is ``net``, served on this machine."""
    served, shelf = tmp_path / "served", tmp_path / "shelf"
    served.mkdir()
    shelf.mkdir()
    (served / "net.onnx").write_bytes(BODY)
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served)) as server:
        (shelf / "catalogue.toml").write_text(
            f"[net]\nwhat = 'A net.'\nlicence = 'MIT'\nsource = 'https://example.org/net'\ncommercial = true\n"
            f"url = 'http://127.0.0.1:{server.server_port}/net.onnx'\nsha256 = '{SHA256}'\nn_bytes = {len(BODY)}\n"
        )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        environment = os.environ | {"SIGHTLINE_MODELS": str(shelf), "COLUMNS": "200"}
        yield lambda *words, **more: sightline("models", *words, env=environment, **more)
        server.shutdown()
        thread.join()


def one_line(result, *words):
    assert result.returncode == 2, result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("sightline: ")
    assert all(word in last for word in words), last
    return True


def listed(models):
    return {row["name"]: row for row in json.loads(models("list", "--json").stdout)["models"]}


def test_the_list_says_licence_size_and_what_is_here(models, tmp_path):
    done = models("list")
    assert done.returncode == 0, done.stderr
    table = done.stdout
    assert "yolox-nano-416" in table
    assert "Apache-2.0" in table
    assert "3.7 MB" in table
    assert "by hand" in table
    rows = listed(models)
    assert not any(row["installed"] for row in rows.values())
    assert rows["yolox-nano-416"]["sha256"].startswith("695e750a")


def test_a_network_is_pulled_used_and_removed(models, tmp_path):
    done = models("pull", "net", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sha256"] == SHA256
    assert "licence MIT, 9.0 kB; see https://example.org/net" in done.stderr
    assert (tmp_path / "shelf" / "net.onnx").read_bytes() == BODY
    assert listed(models)["net"]["installed"]
    assert one_line(models("pull", "net", "--yes"), "on the shelf already")
    assert models("remove", "net").returncode == 0
    assert not listed(models)["net"]["installed"]
    assert one_line(models("remove", "net"), "no weights 'net' on the shelf")


def test_nothing_is_downloaded_without_a_yes(models, tmp_path):
    for answer in ("n\n", ""):
        refused = models("pull", "net", input=answer)
        assert refused.returncode == 2
        assert refused.stderr.endswith("sightline: net not downloaded; --yes answers beforehand\n")
    assert not (tmp_path / "shelf" / "net.onnx").exists()
    assert models("pull", "net", input="y\n").returncode == 0
    assert (tmp_path / "shelf" / "net.onnx").exists()


def test_a_wrong_file_is_refused(models, tmp_path):
    (tmp_path / "served" / "net.onnx").write_bytes(BODY[::-1])
    assert one_line(models("pull", "net", "--yes"), "not the file expected: sha256", SHA256)
    (tmp_path / "served" / "net.onnx").unlink()
    assert one_line(models("pull", "net", "--yes"), "the server says 404", "sightline models add net FILE")
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == ["catalogue.toml"]


def test_a_file_fetched_by_hand_is_added(models, tmp_path):
    (tmp_path / "mine.onnx").write_bytes(b"mine")
    done = models("add", "my-net", "mine.onnx", "--licence", "MIT", "--source", "me")
    assert done.returncode == 0, done.stderr
    assert "my-net is on the shelf" in done.stderr
    assert (listed(models)["my-net"]["licence"], listed(models)["my-net"]["installed"]) == ("MIT", True)
    assert one_line(models("add", "my-net", "mine.onnx"), "on the shelf already")
    assert one_line(models("add", "My Net", "mine.onnx"), "cannot be called 'My Net'")
    assert one_line(models("add", "yolox-nano-416", "mine.onnx"), "not the file the catalogue means")
    assert one_line(models("pull", "nothing"), "no weights 'nothing' in the catalogue")


@pytest.mark.shared
def test_a_video_is_tracked_by_the_name_of_a_network(models, sightline, shared, tmp_path):
    video = shared / "data/tracking/PETS09/pets09_s2l1_view001_480x360.mp4"
    assert models("add", "yolox-nano-416", shared / "models/yolox_nano_416.onnx").returncode == 0
    environment = os.environ | {"SIGHTLINE_MODELS": str(tmp_path / "shelf")}
    words = ("--weights", "yolox-nano-416", "--classes", "person", "--end", 2, "--no-video", "--json")
    done = sightline("track", video, "-o", "out", *words, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tracks"] >= 4
    absent = sightline("track", video, "-o", "other", "--weights", "yolox-s-640", env=environment)
    assert one_line(absent, "not on the shelf (there: yolox-nano-416): sightline models pull yolox-s-640")
