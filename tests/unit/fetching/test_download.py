"""Files from servers that mean well, and from others."""

import base64
import socket
import time
from ipaddress import ip_network

import pytest

from sightline.errors import RefusedError, SightlineError, SourceError, StoreError
from sightline.fetching import Policy, download

VIDEO = bytes(range(256)) * 800
HERE = (ip_network("127.0.0.1/32"),)


@pytest.fixture
def fetch(tmp_path, names):
    """Fetches to an empty folder, and looks that nothing else stays there."""
    folder = tmp_path / "fetched"
    folder.mkdir()

    def fetched(url, *, stopped=lambda: False, tell=lambda *_: None, s3=None, **rules):
        policy = Policy(**({"private_networks": HERE, "timeout_s": 20.0} | rules))
        path, before = None, set(folder.iterdir())
        try:
            path = download(url, folder, policy, tell, stopped, s3=s3, resolve=names)
        finally:
            came = set(folder.iterdir()) - before
            assert came == ({path} if path is not None and path.parent == folder else set())
        return path

    return fetched


@pytest.fixture
def url(server):
    return f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize("name", ["video.mp4", "unsaid.mp4", "text-type.ts", "no-type", "longer.mp4", "relative.mp4"])
def test_a_file_comes_whole_under_a_name_of_ours(fetch, url, name):
    path = fetch(f"{url}/{name}?x=../../evil.sh")
    assert path.read_bytes() == VIDEO
    assert path.suffix == ".media"
    assert len(path.stem) == 32


def test_one_can_watch(fetch, url):
    told = []
    fetch(f"{url}/video.mp4", tell=lambda *now: told.append(now))
    assert told[-1] == ("downloading", len(VIDEO), len(VIDEO))


def test_what_is_sent_along_is_little(fetch, url, server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    fetch(f"{url}/video.mp4")
    ((_, headers),) = server.seen
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    assert "Authorization" not in headers
    assert "Cookie" not in headers


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("page", "web page"),
        ("page.mp4", "text, not a video"),
        ("list.m3u8", "playlist"),
        ("list.mp4", "playlist"),
        ("gzip.mp4", "packed"),
        ("gone.mp4", "404"),
        ("private.mp4", "401; put user and password"),
        ("cut-off.mp4", "broke off"),
        ("empty.mp4", "empty"),
        ("nonsense.mp4", "nonsense"),
        ("negative.mp4", "nonsense"),
        ("loop.mp4", "more than 5 times"),
        ("nowhere.mp4", "more than 5 times"),
    ],
)
def test_what_is_no_file_leaves_none(fetch, url, name, why):
    with pytest.raises(SourceError, match=why) as caught:
        fetch(f"{url.replace('//', '//me:hush@')}/{name}?key=hush")
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["huge.mp4", "endless.mp4"])
def test_too_much_is_refused_while_it_comes(fetch, url, name):
    with pytest.raises(RefusedError, match="max_bytes"):
        fetch(f"{url}/{name}", max_bytes=5_000_000)


def test_a_file_of_just_the_size_allowed_comes(fetch, url):
    assert fetch(f"{url}/unsaid.mp4", max_bytes=len(VIDEO))
    with pytest.raises(RefusedError, match="max_bytes"):
        fetch(f"{url}/unsaid.mp4", max_bytes=len(VIDEO) - 1)


@pytest.mark.parametrize("name", ["drip.mp4", "silent.mp4", "headers.mp4", "endless.mp4"])
def test_it_is_over_in_time_whatever_the_server_does(fetch, url, name):
    began = time.monotonic()
    with pytest.raises(SourceError, match="timeout_s"):
        fetch(f"{url}/{name}", timeout_s=0.5, max_bytes=1 << 40)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("name", ["drip.mp4", "silent.mp4", "headers.mp4", "endless.mp4"])
def test_it_stops_within_a_second_when_told_to(fetch, url, server, name):
    told_at = []

    def stopped():
        if server.seen and not told_at:
            told_at.append(time.monotonic())
        return bool(told_at)

    assert fetch(f"{url}/{name}", stopped=stopped, max_bytes=1 << 40) is None
    assert time.monotonic() - told_at[0] < 1.0


def test_it_stops_while_nobody_answers(fetch):
    """A full queue of connections: the next one is neither taken nor turned away."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
            fillers.append(filler)
        began = time.monotonic()
        try:
            done = fetch(f"http://127.0.0.1:{deaf.getsockname()[1]}/", stopped=lambda: time.monotonic() > began + 0.3)
        finally:
            for filler in fillers:
                filler.close()
    assert done is None
    assert time.monotonic() - began < 1.3


def test_it_stops_while_a_name_is_looked_up(tmp_path):
    began = time.monotonic()

    def slow(host):
        while time.monotonic() < began + 2:
            time.sleep(0.05)
        return ["127.0.0.1"]

    late = lambda: time.monotonic() > began + 0.3  # noqa: E731
    assert download("http://host/", tmp_path, Policy(), lambda *_: None, late, resolve=slow) is None
    assert time.monotonic() - began < 1.3


def test_a_server_that_is_not_there_is_said(fetch, server, url):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(SourceError, match="cannot be reached"):
        fetch(f"http://127.0.0.1:{port}/a.mp4")


def test_this_machine_is_not_asked_unless_allowed(fetch, url, server):
    with pytest.raises(RefusedError, match="private_networks"):
        fetch(f"{url}/video.mp4", private_networks=())
    assert server.n_connected == 0


@pytest.mark.parametrize(
    "target", ["http://127.0.0.2:{}/video.mp4", "http://inner/", "//127.0.0.2:{}/", "http://[::1]:{}/"]
)
def test_a_server_cannot_send_us_to_what_is_not_allowed(fetch, url, serve, server, names, target):
    inner = serve("127.0.0.2", server.server_port)
    names.known["inner"] = ["127.0.0.2"]
    with pytest.raises(RefusedError, match="private_networks"):
        fetch(f"{url}/to?{target.format(server.server_port)}")
    assert inner.n_connected == 0


@pytest.mark.parametrize(
    "target", ["file:///etc/hostname", "rtsp://127.0.0.1/a", "s3://bucket/key", "gopher://127.0.0.1/"]
)
def test_a_server_cannot_send_us_to_another_kind_of_address(fetch, url, target):
    with pytest.raises(RefusedError):
        fetch(f"{url}/to?{target}", buckets=("*",), media_folders=())


def test_the_number_of_redirections_is_a_setting(fetch, url):
    with pytest.raises(SourceError, match="more than 0 times"):
        fetch(f"{url}/relative.mp4", max_redirects=0)


def test_a_name_that_changes_its_meaning_is_looked_up_once(fetch, server, serve, names):
    """DNS rebinding: the check sees one place, whoever asks again is sent to another."""
    inner = serve("127.0.0.2", server.server_port)
    names.known["rebound.example"] = ["127.0.0.1", "127.0.0.2"]
    assert fetch(f"http://rebound.example:{server.server_port}/video.mp4")
    assert names.asked["rebound.example"] == 1
    assert (server.n_connected, inner.n_connected) == (1, 0)
    assert server.seen[0][1]["Host"] == f"rebound.example:{server.server_port}"


def test_a_name_that_changes_its_meaning_on_the_way_is_refused(fetch, server, serve, names):
    inner = serve("127.0.0.2", server.server_port)
    names.known["rebound.example"] = ["127.0.0.1", "127.0.0.2"]
    with pytest.raises(RefusedError, match="private_networks"):
        fetch(f"http://rebound.example:{server.server_port}/relative.mp4")
    assert (server.n_connected, inner.n_connected) == (1, 0)


def test_passwords_go_to_the_server_they_are_for_and_to_no_other(fetch, server, serve):
    other = serve()
    here = f"http://me:p%40ss@127.0.0.1:{server.server_port}"
    fetch(f"{here}/relative.mp4")
    wanted = "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert [headers["Authorization"] for _, headers in server.seen] == [wanted, wanted]
    fetch(f"{here}/to?http://127.0.0.1:{other.server_port}/video.mp4")
    assert ["Authorization" in headers for _, headers in other.seen] == [False]


def test_a_folder_that_cannot_be_written_is_said(tmp_path, url, names):
    with pytest.raises(StoreError, match="no such file or directory"):
        download(
            f"{url}/video.mp4", tmp_path / "none", Policy(private_networks=HERE), print, lambda: False, resolve=names
        )


def test_a_local_file_is_not_copied(fetch, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(VIDEO)
    assert fetch(str(path), media_folders=(tmp_path,)) == path
    with pytest.raises(RefusedError, match="max_bytes"):
        fetch(str(path), media_folders=(tmp_path,), max_bytes=10)
    path.write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    with pytest.raises(SourceError, match="playlist"):
        fetch(str(path), media_folders=(tmp_path,))


def test_a_stream_is_no_file(fetch):
    with pytest.raises(SourceError, match="live stream"):
        fetch("rtsp://127.0.0.1/live")


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_asked_for_only_our_errors_come(fetch, seed):
    for url in ("", "http://", "x" * 9999, "http://127.0.0.1:1/\ud800", "http://[", "s3://bucket/k", "//host/x"):
        with pytest.raises(SightlineError):
            fetch(url * (seed + 1))
