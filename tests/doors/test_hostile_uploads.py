"""What is uploaded to harm the server: it says no in one line, keeps nothing of it, and goes on."""

import concurrent.futures
import re
import socket
import tempfile
import time
from pathlib import Path

import httpx
import pytest

from . import hostile
from .conftest import wait_for

PIPELINE = "/api/v1/video-pipeline"
PATIENCE_S = 35.0


@pytest.fixture(scope="module")
def scratch():
    """Where the server puts what it spools; a short name, since there are sockets in it."""
    with tempfile.TemporaryDirectory(prefix="st") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def server(serve_all, scratch):
    return serve_all(workers=0, SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE=0, TMPDIR=scratch)


def look(server, name, data, path="video-info/", field="video", **form):
    """An answer; it must come in time, and be of one line that tells nothing of the machine."""
    began = time.monotonic()
    answer = httpx.post(f"{server.url}{PIPELINE}/{path}", files={field: (name, data)}, data=form, timeout=PATIENCE_S)
    assert time.monotonic() - began < PATIENCE_S
    check(server, answer)
    return answer


def check(server, answer):
    if answer.status_code >= 400:
        detail = answer.json()["detail"]
        assert isinstance(detail, list) or (isinstance(detail, str) and detail and "\n" not in detail), answer.text
        assert len(answer.text) < 1000
    assert "Traceback" not in answer.text
    assert str(server.data) not in answer.text.replace(f"{server.data}/frames", "")
    assert "/incoming" not in answer.text


def left_behind(server, scratch):
    places = [server.data / "incoming", server.data / "work", scratch]
    found = [path for place in places for path in place.rglob("*") if path.is_file()]
    return [path for path in found if not path.name.endswith(".lock") and "pymp-" not in str(path)]


def test_no_file_harms_the_server(server, clip, scratch):
    files = hostile.every(clip, n=1)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = dict(zip(files, pool.map(lambda name: look(server, name, files[name]), files), strict=True))
    assert {answer.status_code for answer in answers.values()} <= {200, 400}
    told = {name: answer.json()["detail"] for name, answer in answers.items() if answer.status_code == 400}
    assert all(detail.startswith(f"{name}: ") for name, detail in told.items()), told
    assert not (hostile.scripts().keys() | hostile.giants().keys() - {"bomb.mov"}) - told.keys()
    assert not left_behind(server, scratch)
    assert look(server, "yard.mp4", clip.read_bytes()).json()["info"]["width"] == 320
    assert "fault=" not in server.log.read_text()


def test_no_camera_and_no_file_comes_of_what_is_no_video(server, scratch):
    files = hostile.scripts() | {name: hostile.giants()[name] for name in ("claims.mjpeg", "bomb.apng")}
    for name, data in files.items():
        assert look(server, name, data, "decode/", "file", camera_id="gate").status_code == 400
    assert httpx.get(f"{server.url}{PIPELINE}/cameras/").json() == []
    assert httpx.get(f"{server.url}/api/v1/artifacts").json()["artifacts"] == []  # other tests remove theirs
    assert not left_behind(server, scratch)


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd",
        "..\\..\\windows\\win.ini",
        "..",
        "/etc/cron.d/x",
        "a" * 10_000 + ".mp4",
        "Stra\u00dfe \u2603 \U0001f6a6.mp4",
        "\u202egpj.exe",
        "%2e%2e%2fetc%2fpasswd",
        "file:/etc/passwd",
        "concat:a|b",
        "-i.mp4",
        "new\nline\r\nx: y.mp4",
        'quote".mp4',
        "nul\0.mp4",
        "con.mp4;rm -rf",
    ],
)
def test_names_are_only_labels(server, clip, name):
    before = {path.relative_to(server.data) for path in server.data.rglob("*") if path.is_file()}
    if look(server, name, clip.read_bytes()).status_code == 400:  # too long for a form
        assert len(name) > 4096
        return
    answer = httpx.post(f"{server.url}/api/v1/artifacts", files={"file": (name, b"x")}, timeout=PATIENCE_S)
    check(server, answer)
    kept = answer.json()
    assert len(kept["name"]) <= 255
    assert not re.search(r"[/\\\0\r\n\u202e]", kept["name"])
    shown = httpx.get(f"{server.url}{kept['url']}")
    assert shown.content == b"x"
    assert shown.headers["content-type"] in {"application/octet-stream", "video/mp4"}
    new = {path.relative_to(server.data) for path in server.data.rglob("*") if path.is_file()} - before
    assert not [path for path in new if path.parts[0] != "artifacts" and not path.name.startswith("sightline.db")]
    assert httpx.delete(f"{server.url}/api/v1/artifacts/{kept['id']}").status_code == 204


def spoken(server, data, wait_s=10.0, *, close=False):
    """What is answered to bytes on the wire; empty where the connection just ends."""
    host, port = re.fullmatch(r"http://(.+):(\d+)", server.url).groups()
    with socket.create_connection((host, int(port)), wait_s) as wire:
        try:
            wire.sendall(data)
            if close:
                return b""
            answer = b""
            while (more := wire.recv(65536)) and not whole(answer := answer + more):
                pass
        except (BrokenPipeError, ConnectionResetError):
            return b""
        return answer


def whole(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return length is not None and len(body) >= int(length[1])


def request(body, *headers, path=f"{PIPELINE}/video-info/"):
    lines = [f"POST {path} HTTP/1.1", "host: localhost", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


FORM = "content-type: multipart/form-data; boundary=b"
FILE = b'--b\r\ncontent-disposition: form-data; name="video"; filename="x.mp4"\r\n\r\nhello\r\n--b--\r\n'
FIELD = b'--b\r\ncontent-disposition: form-data; name="f%d"\r\n\r\nx\r\n'
MANY = b"".join(FIELD % i for i in range(5000)) + b"--b--\r\n"


@pytest.mark.parametrize(
    ("body", "headers", "statuses"),
    [
        (FILE, ["content-type: multipart/form-data"], {400}),
        (FILE, ["content-type: multipart/form-data; boundary="], {400}),
        (FILE, ["content-type: multipart/form-data; boundary=other"], {400, 422}),
        (FILE, ["content-type: multipart/form-data; boundary=" + "b" * 5000], {400, 422}),
        (FILE, ["content-type: application/json"], {400, 422}),
        (FILE, ["content-type: text/plain"], {422}),
        (FILE, [], {422}),
        (b"", [FORM], {400, 422}),
        (b"--b", [FORM], {400, 422}),
        (FILE[:60], [FORM], {400, 422}),
        (FILE[:-6], [FORM], {400, 422}),
        (FILE.replace(b'; filename="x.mp4"', b""), [FORM], {422}),
        (FILE.replace(b"x.mp4", b""), [FORM], {400, 422}),
        (FILE.replace(b'name="video"', b'name="film"'), [FORM], {422}),
        (FILE.replace(b'name="video"', b""), [FORM], {400}),
        (FILE.replace(b"content-disposition", b"x" * 9000), [FORM], {400, 422}),
        (FILE.replace(b"hello\r\n", b"hello\r\n" + FILE[:-6] + b"\r\n"), [FORM], {400}),
        (FILE[:-8] + b"\r\n" + FILE, [FORM], {400}),
        (MANY, [FORM], {400}),
        (MANY.replace(b'"\r\n\r\n', b'"; filename="x"\r\n\r\n'), [FORM], {400}),
        (FILE, [FORM, "content-encoding: gzip"], {400, 415}),
        (FILE, [FORM, "content-length: -1"], {400}),
        (FILE, [FORM, "content-length: 99999999999999999999"], {400, 413}),
        (FILE, [FORM, "content-length: 5", "content-length: 6"], {400}),
        (FILE, [FORM, "transfer-encoding: chunked", "content-length: 5"], {400}),
        (b"zz\r\n" + FILE, [FORM, "transfer-encoding: chunked"], {400}),
        (FILE, [FORM, "x: " + "y" * 70_000], {400, 431}),
        (FILE, [FORM, *(f"x{i}: y" for i in range(500))], {431}),
    ],
)
def test_forms_that_are_none_are_refused(server, scratch, body, headers, statuses):
    if not any(line.startswith(("content-length", "transfer-encoding")) for line in headers):
        headers = [*headers, f"content-length: {len(body)}"]
    answer = spoken(server, request(body, *headers))
    status = int(answer.split()[1])
    assert status in statuses, answer
    assert b"Traceback" not in answer
    assert httpx.get(f"{server.url}/health").status_code == 200
    assert not left_behind(server, scratch)


def test_a_body_is_counted_whatever_it_claims(serve, scratch):
    server = serve(workers=0, SIGHTLINE_LIMITS__UPLOAD_BYTES="1MB", TMPDIR=scratch)
    chunk = b"20000\r\n" + bytes(0x20000) + b"\r\n"
    answer = spoken(server, request(b"5d\r\n" + FILE[:0x5D] + b"\r\n" + chunk * 16, FORM, "transfer-encoding: chunked"))
    assert answer.split()[1:2] in ([b"413"], []), answer[:200]  # a sender that does not read may miss it
    claimed = spoken(server, request(b"", FORM, "content-length: 2000000"))
    assert claimed.split()[1] == b"413"
    assert b'{"detail":' in claimed
    assert not left_behind(server, scratch)


def usage(server):
    process = Path(f"/proc/{server.process.pid}")
    rss = re.search(r"VmRSS:\s+(\d+)", (process / "status").read_text())[1]
    return int(rss) / 1024, len(list((process / "fd").iterdir()))


def test_senders_who_leave_half_way_leave_nothing(server, scratch):
    half = request(FILE[:90] + bytes(3 << 20), FORM, f"content-length: {8 << 20}")
    for path in ("video-info/", "decode/"):
        for _ in range(10):
            spoken(server, half.replace(b"video-info/", path.encode()), close=True)
    httpx.get(f"{server.url}/health")
    wait_for(lambda: not left_behind(server, scratch), 10)
    wait_for(lambda: not [fd for fd in descriptors(server) if "/tmp/" in fd and "deleted" in fd], 10)


def descriptors(server):
    found = []
    for fd in Path(f"/proc/{server.process.pid}/fd").iterdir():
        try:
            found.append(str(fd.readlink()))
        except FileNotFoundError:
            continue
    return found


def test_memory_and_descriptors_do_not_grow(server, clip):
    names = ("claims.mjpeg", "large.y4m", "bomb.apng")
    bad = {name: hostile.giants()[name] for name in names} | {"zeros.mp4": bytes(5 << 20)}

    def rounds(n):
        for _ in range(n):
            for name, data in bad.items():
                assert look(server, name, data).status_code == 400

    rounds(2)
    rss, fds = usage(server)
    rounds(5)
    wait_for(lambda: usage(server)[1] <= fds + 3, 10, "the end of open files")
    assert usage(server)[0] < rss + 40.0


def test_many_at_once_keep_nobody_else_waiting(server):
    bomb = hostile.bomb(4000, 4000)
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        asked = [pool.submit(look, server, "bomb.mov", bomb) for _ in range(48)]
        waits = []
        while not all(one.done() for one in asked):
            began = time.monotonic()
            assert httpx.get(f"{server.url}/api/v1/jobs", timeout=20).status_code == 200
            waits.append(time.monotonic() - began)
            time.sleep(0.05)
        answers = [one.result() for one in asked]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert any(answer.status_code == 200 for answer in answers)
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)
    assert sorted(waits)[len(waits) // 2] < 5.0
