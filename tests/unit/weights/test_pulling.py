import hashlib
import re
import socket
from pathlib import Path

import pytest

from sightline import weights
from sightline.errors import WeightsError
from sightline.weights.pulling import pull

BODY = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def listed(shelf, server):
    """Writes an entry ``net`` into the shelf's own catalogue."""

    def write(page, **more):
        fields = {"what": "w", "licence": "MIT", "source": "s", "url": f"{server}/{page}"} | more
        shelf.mkdir(exist_ok=True)
        lines = [f"{key} = {str(value) if isinstance(value, int) else repr(value)}" for key, value in fields.items()]
        (shelf / "catalogue.toml").write_text("[net]\n" + "\n".join(lines) + "\n")

    return write


@pytest.mark.parametrize("page", ["ok", "elsewhere"])
def test_what_is_pulled_is_on_the_shelf(listed, shelf, page):
    listed(page, sha256=SHA256, n_bytes=len(BODY))
    seen = []
    card = pull("net", progress=lambda done, total: seen.append((done, total)))
    assert (shelf / "net.onnx").read_bytes() == BODY
    assert weights.find("net").path == shelf / "net.onnx"
    assert (card.licence, card.source, card.sha256, card.n_bytes) == ("MIT", "s", SHA256, len(BODY))
    assert seen[-1] == (len(BODY), len(BODY))
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("page", "more", "reason"),
    [
        ("ok", {"sha256": "0" * 64}, "not the file expected: sha256 " + SHA256),
        ("ok", {"sha256": SHA256, "n_bytes": 99}, "1048576 bytes, but net has 99; not the file expected"),
        ("unsized", {"sha256": SHA256, "n_bytes": len(BODY)}, "more than the 1048576 bytes expected"),
        ("cut", {"sha256": SHA256}, "cut off after 524288 of 1048576 bytes; pull again"),
        ("longer", {"sha256": SHA256}, "cut off after 1048576 of 1048577 bytes; pull again"),
        ("absent", {"sha256": SHA256}, "the server says 404 Not Found; .* sightline models add net FILE"),
        ("unencrypted", {"sha256": SHA256}, "http://example.invalid/ok: weights are fetched over https only"),
        ("ok", {}, "its sha256 is not known.*--sha256.*sightline models add net FILE"),
        ("", {"url": "http://example.invalid/net"}, "its sha256 is not known"),
        ("", {"url": "http://example.invalid/net", "sha256": SHA256}, "over https only"),
        ("", {"url": "file:///etc/hostname", "sha256": SHA256}, "over https only"),
    ],
)
def test_what_is_wrong_leaves_nothing(listed, shelf, page, more, reason):
    listed(page, **more)
    with pytest.raises(WeightsError, match=reason) as caught:
        pull("net")
    assert "\n" not in str(caught.value)
    assert [path.name for path in shelf.iterdir()] == ["catalogue.toml"]


def test_without_network_it_says_how_to_add_the_file_by_hand(listed, shelf):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/net.onnx"
        listed("", url=url, sha256=SHA256)
        with pytest.raises(WeightsError, match=f"{url}: cannot be reached .* sightline models add net FILE"):
            pull("net")


def test_a_sha256_can_be_said(listed, shelf):
    listed("ok")
    assert pull("net", sha256=SHA256.upper()).sha256 == SHA256


def test_what_cannot_be_pulled(listed, shelf):
    with pytest.raises(WeightsError, match="no weights 'nothing' in the catalogue; there are: yolox-nano-416"):
        pull("nothing")
    with pytest.raises(WeightsError, match=r"dfine-n-640 has no address to pull from: tools/deployment/export_onnx"):
        pull("dfine-n-640")
    listed("ok", sha256=SHA256)
    pull("net")
    with pytest.raises(WeightsError, match="on the shelf already"):
        pull("net")


def test_only_the_command_can_download():
    """Nothing else so much as imports what speaks to the network, but for ``fetching``, which servers are asked for."""
    folder = Path(weights.__file__).parents[1]
    modules = r"pulling|urllib\.request|http\.client|httpx|import requests"
    speakers = re.compile(rf"^\s*(from|import) .*({modules})\b", re.MULTILINE)
    found = {str(file.relative_to(folder)) for file in folder.rglob("*.py") if speakers.search(file.read_text())}
    assert {file for file in found if not file.startswith("fetching/")} == {"cli/models.py", "weights/pulling.py"}
