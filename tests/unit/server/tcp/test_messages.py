"""What is said, and what is said back."""

import hashlib
import json
import struct

import pytest

from .conftest import JPEG, MP4, PASSWORD, PNG, credentials, images, request

NO_IMAGES = (b"", b"ERROR_IMAGE_REQUEST")
NO_VIDEO = (b"", b"ERROR_VIDEO_REQUEST")
STRANGER = (b"", b"ERROR_NOT_LOGGED_IN")


def is_named(reply):
    name, made = reply
    return made[:4] == b"glTF" and name == f"{hashlib.sha256(made).hexdigest()}.glb".encode()


def test_images_come_back_as_a_glb_under_its_hash(service):
    client = service.connect()
    assert is_named(client.ask(2, images(JPEG, PNG, JPEG)))
    ((owner, files),) = service.works.asked
    assert owner == "anonymous"
    assert files == [("img_000.jpg", JPEG), ("img_001.png", PNG), ("img_002.jpg", JPEG)]


def test_a_video_comes_back_as_a_glb_under_its_hash(service):
    assert is_named(service.connect().ask(3, MP4))
    ((_, files),) = service.works.asked
    assert files == [("video", MP4)]


def test_what_was_made_is_found_by_its_hash_by_anybody(guarded):
    name, made = guarded.connect(log_in=True).ask(3, MP4)
    stranger = guarded.connect()
    assert stranger.ask(4, name.removesuffix(b".glb")) == made
    assert stranger.ask(4, b" \n" + name.removesuffix(b".glb") + b"\r\n") == made


def test_downloads_can_need_a_login(start):
    service = start(downloads_need_login=True)
    service.add()
    client = service.connect()
    hashed = service.works.keep(b"glTF").encode()
    assert client.ask(4, hashed) == b"ERROR_NOT_LOGGED_IN"
    assert client.log_in() == b"[true, false]"
    assert client.ask(4, hashed) == b"glTF"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"x" * 63,
        b"x" * 64,
        b"A" * 64,
        b"a" * 65,
        b"a" * 64 + b".glb",
        b"../" * 21 + b"a",
        b"\xff" * 64,
        "é".encode() * 32,
        b"a" * 32 + b"\n" + b"a" * 31,
        b"a" * 1025,
    ],
)
def test_what_is_no_hash_is_said_to_be_none(service, payload):
    client = service.connect()
    assert client.ask(4, payload) == b"ERROR_INVALID_HASH"


def test_a_hash_of_nothing_and_of_a_file_that_is_gone(service):
    client = service.connect()
    assert client.ask(4, b"a" * 64) == b"ERROR_HASH_NOT_FOUND"
    hashed = service.works.keep(b"glTF")
    service.works.gone.add(hashed)
    assert client.ask(4, hashed.encode()) == b"ERROR_FILE_MISSING"
    service.works.gone.clear()
    assert client.ask(4, hashed.encode()) == b"glTF"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0\0\0",
        images(),
        images(count=1),
        images(JPEG, count=2),
        images(JPEG, count=2**32 - 1),
        images(JPEG) + b"x",
        images(JPEG)[:-1],
        images(b""),
        images(JPEG, b"GIF89a no image that is known"),
        images(b"RIFF\0\0\0\0WEBP", b"<svg/>"),
        b"\0\0\0\1\xff\xff\xff\xff" + JPEG,
        images(*[JPEG] * 6),
    ],
)
def test_images_that_do_not_fit_together_are_refused_and_the_talk_goes_on(start, payload):
    service = start(images=5)
    client = service.connect()
    assert client.ask(2, payload) == NO_IMAGES
    assert not service.works.asked
    assert is_named(client.ask(2, images(*[JPEG] * 5)))
    client.close()
    service.settles()


@pytest.mark.parametrize(
    "payload", [b"", b"#EXTM3U\nfile:///etc/passwd", b"just text", b"ffconcat version 1.0\nfile x"]
)
def test_what_is_no_video_is_refused_and_the_talk_goes_on(service, payload):
    client = service.connect()
    assert client.ask(3, payload) == NO_VIDEO
    assert not service.works.asked
    assert is_named(client.ask(3, MP4))
    client.close()
    service.settles()


def test_a_reconstruction_that_fails_is_said_to_have_failed(service):
    service.works.fails = True
    client = service.connect()
    assert client.ask(2, images(JPEG)) == NO_IMAGES
    assert client.ask(3, MP4) == NO_VIDEO
    service.works.fails = False
    assert is_named(client.ask(3, MP4))


def test_strangers_are_told_so_and_nothing_of_theirs_is_kept(guarded):
    client = guarded.connect()
    assert client.ask(2, images(JPEG)) == STRANGER
    assert client.ask(3, MP4 * 5000) == STRANGER
    assert client.ask(2, b"nonsense") == STRANGER
    assert not guarded.works.asked
    assert client.log_in() == b"[true, false]"
    assert is_named(client.ask(2, images(JPEG)))
    assert guarded.works.asked[0][0] == "ann"


def test_a_login_that_is_none_is_refused_and_the_talk_goes_on(guarded):
    client = guarded.connect()
    payloads = [b"", b"nonsense", b"\xff\xfe", b"[]", b"null", b'"ann"', b"{}", b'{"u": "ann"}', b"[" * 8000]
    odd = [{"u": "ann", "p": 5}, {"u": ["ann"], "p": PASSWORD}, {"u": "\ud800", "p": "\ud800"}]
    for payload in payloads + [json.dumps(one).encode() for one in odd]:
        assert client.ask(1, payload) == b"[false, false]", payload
    for name, password in (("ann", "wrong"), ("eve", PASSWORD), ("Ann", PASSWORD), ("ann\0", PASSWORD)):
        assert client.log_in(name, password) == b"[false, false]", name
    assert client.ask(3, MP4) == STRANGER
    assert client.log_in() == b"[true, false]"


def test_a_wrong_login_ends_the_one_before(guarded):
    client = guarded.connect(log_in=True)
    assert client.log_in(password="wrong") == b"[false, false]"
    assert client.ask(3, MP4) == STRANGER


@pytest.mark.parametrize("command", [0, 5, 71, 255])
def test_other_commands_are_said_to_be_unknown_and_the_talk_goes_on(service, command):
    client = service.connect()
    assert client.ask(command, b"x" * 1000) == b"UNKNOWN_COMMAND"
    assert client.ask(command) == b"UNKNOWN_COMMAND"
    assert is_named(client.ask(3, MP4))


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (1, [b"[false, false]"]),
        (2, list(NO_IMAGES)),
        (3, list(NO_VIDEO)),
        (4, [b"ERROR_INVALID_HASH"]),
        (9, [b"UNKNOWN_COMMAND"]),
    ],
)
@pytest.mark.parametrize("n_bytes", [2**32 - 1, 2**31 + 1])
def test_lengths_beyond_the_limit_are_answered_and_hung_up_on(service, command, reply, n_bytes):
    client = service.connect()
    client.say(command, b"begins like this", n_bytes=n_bytes)
    assert [client.hear() for _ in reply] == reply
    assert client.is_hung_up()
    client.close()
    service.settles()


def test_who_sends_too_much_still_gets_to_read_why(start):
    service = start(payload_bytes=1000)
    client = service.connect()
    client.say(3, bytes(500_000))
    assert client.hear_two() == NO_VIDEO
    assert client.is_hung_up()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
        b"SSH-2.0-x\r\n",
    ],
)
def test_other_protocols_are_answered_and_hung_up_on(service, garbage):
    client = service.connect()
    client.peer.sendall(garbage)
    assert client.hear() == b"UNKNOWN_COMMAND"
    assert client.is_hung_up()
    client.close()
    service.settles()


def test_large_results_arrive_whole(service):
    service.works.n_bytes = 30_000_000
    name, made = service.connect().ask(3, MP4)
    assert len(made) >= 29_999_000
    assert is_named((name, made))


def test_small_results_arrive_whole_at_clients_that_read_once(service):
    service.works.n_bytes = 64_000
    client = service.connect()
    for _ in range(20):
        client.say(3, MP4)
        peer = client.peer
        name = peer.recv(*struct.unpack(">I", peer.recv(4)))
        made = peer.recv(*struct.unpack(">I", peer.recv(4)))
        assert is_named((name, made))
        assert len(made) > 63_000
    assert service.works.near == [True] * 20


def test_requests_sent_all_at_once_are_answered_in_their_order(service):
    hashed = service.works.keep(b"glTF kept").encode()
    client = service.connect()
    client.peer.sendall(
        request(1, credentials())
        + request(2, images(JPEG))
        + request(4, hashed)
        + request(77, b"?")
        + request(3, MP4)
        + request(4, b"?")
    )
    assert client.hear() == b"[true, false]"
    assert is_named(client.hear_two())
    assert client.hear() == b"glTF kept"
    assert client.hear() == b"UNKNOWN_COMMAND"
    assert is_named(client.hear_two())
    assert client.hear() == b"ERROR_INVALID_HASH"
