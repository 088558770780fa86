"""Connections that behave oddly: in crumbs, slowly, by halves, not at all, or all at once."""

import socket
import ssl
import struct
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from .conftest import JPEG, MP4, Client, credentials, images, request, wait_for
from .test_messages import is_named


def conversation(service):
    """Bytes of requests of every sort, and a function that hears all replies."""
    hashed = service.works.keep(b"glTF kept")
    said = request(1, credentials()) + request(2, images(JPEG, JPEG)) + request(4, hashed.encode()) + request(9, b"?!")
    said += request(3, MP4[:40])

    def hear(client):
        assert client.hear() == b"[true, false]"
        assert is_named(client.hear_two())
        assert client.hear() == b"glTF kept"
        assert client.hear() == b"UNKNOWN_COMMAND"
        assert is_named(client.hear_two())

    return said, hear


def test_requests_may_come_byte_by_byte(service):
    said, hear = conversation(service)
    client = service.connect()
    client.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(len(said)):
        client.peer.send(said[i : i + 1])
    hear(client)


def test_requests_may_be_cut_anywhere(service):
    said, hear = conversation(service)

    def cut(at):
        client = service.connect()
        client.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.peer.sendall(said[:at])
        client.peer.sendall(said[at:])
        hear(client)
        client.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(cut, range(1, len(said))))
    service.settles()


def test_who_leaves_anywhere_leaves_nothing_behind(service):
    said, _ = conversation(service)

    def leave(at):
        client = service.connect()
        client.peer.sendall(said[:at])
        client.vanish() if at % 2 else client.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(leave, range(len(said))))
    service.settles()


def test_an_upload_that_breaks_off_leaves_no_file(service):
    client = service.connect()
    client.say(3, MP4 * 3000, n_bytes=50_000_000)
    wait_for(lambda: [path for path in service.uploads() if path.name == "video"], what="the upload")
    client.vanish()
    service.settles()
    other = service.connect()
    other.say(2, b"\0\0\0\2" + struct.pack(">I", len(JPEG)) + JPEG + b"\0\0\x10\0", n_bytes=5000)
    wait_for(lambda: [path for path in service.uploads() if path.name == "img_000.jpg"], what="the first image")
    other.close()
    service.settles()
    assert not service.works.asked


def test_who_has_said_everything_may_close_their_half(service):
    client = service.connect()
    client.say(3, MP4)
    client.peer.shutdown(socket.SHUT_WR)
    assert is_named(client.hear_two())
    assert client.is_hung_up()


def test_who_is_lost_while_waiting_is_not_waited_for_and_the_work_goes_on(service):
    service.works.go_on.clear()
    client = service.connect()
    client.say(3, MP4)
    wait_for(lambda: service.works.asked, what="the request")
    client.vanish()
    service.settles()
    (made,) = service.works.made
    service.works.go_on.set()
    assert service.connect().ask(4, made.encode()).startswith(b"glTF")


def test_one_that_takes_too_long_is_said_to_have_failed(start):
    service = start(result_s=0.1)
    service.works.go_on.clear()
    assert service.connect().ask(3, MP4) == (b"", b"ERROR_VIDEO_REQUEST")


@pytest.mark.parametrize("said", [request(1)[:1], request(3, n_bytes=100)[:4], request(3, MP4, n_bytes=1000)])
def test_who_falls_silent_in_the_middle_is_hung_up_on(start, said):
    service = start(silence_s=0.2)
    client = service.connect()
    client.peer.sendall(said)
    assert client.is_hung_up()
    service.settles()


def test_crumbs_do_not_keep_a_connection_open(start):
    service = start(silence_s=0.3)
    client = service.connect()
    client.peer.settimeout(0.05)
    client.peer.sendall(request(3, n_bytes=100_000))

    def is_hung_up():
        try:
            client.peer.send(b"x")
            return client.peer.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    wait_for(is_hung_up, 10, "the end of patience")
    service.settles()


def test_who_does_not_read_is_hung_up_on(start):
    service = start(silence_s=0.3)
    service.works.n_bytes = 30_000_000
    client = service.connect()
    client.say(3, MP4)
    wait_for(lambda: service.works.asked, what="the request")
    wait_for(lambda: service.listening.n_connections == 0, what="the end of patience")


def test_strangers_may_be_idle_for_less_long_than_members(start):
    service = start(login_s=0.2, idle_s=20.0)
    service.add()
    stranger, member = service.connect(), service.connect(log_in=True)
    assert stranger.is_hung_up()
    service.settles(1)
    assert is_named(member.ask(3, MP4))


def test_members_may_not_be_idle_for_ever(start):
    service = start(idle_s=0.2)
    assert service.connect().is_hung_up()


def test_one_address_gets_so_many_connections(start):
    service = start(connections_per_address=2)
    first, second, third = (service.connect() for _ in range(3))
    assert third.is_hung_up()
    assert is_named(first.ask(3, MP4))
    first.close()
    service.settles(1)
    assert is_named(service.connect().ask(3, MP4))
    assert is_named(second.ask(3, MP4))


def test_all_together_get_so_many_connections(start):
    service = start(connections=1)
    first, second = service.connect(), service.connect()
    assert second.is_hung_up()
    assert is_named(first.ask(3, MP4))


def test_fifty_at_once_get_each_their_own(service):
    together = threading.Barrier(50)

    def ask(number):
        client = service.connect()
        together.wait(20)
        mine = MP4 + struct.pack(">I", number) * 50_000
        name, made = client.ask(3, mine)
        assert is_named((name, made))
        again = client.ask(2, images(*[JPEG + bytes([number, i]) for i in range(5)]))
        assert is_named(again)
        client.close()
        return name, again[0]

    with ThreadPoolExecutor(50) as pool:
        names = [name for both in pool.map(ask, range(50)) for name in both]
    assert len(set(names)) == 100
    service.settles()


def test_nothing_is_left_of_many_connections(service):
    def files():
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    def visit(number):
        client = service.connect()
        if number % 3:
            assert is_named(client.ask(3, MP4))
        else:
            client.say(3, MP4, n_bytes=1000)
        client.close()

    for number in range(12):  # threads and such are opened on the way
        visit(number)
    service.settles()
    before = files()
    for number in range(60):
        visit(number)
    service.settles()
    assert files() <= before


def test_at_the_end_the_idle_are_hung_up_on_and_work_is_finished(service):
    service.works.go_on.clear()
    idle, busy = service.connect(), service.connect()
    busy.say(3, MP4)
    wait_for(lambda: service.works.asked, what="the request")
    service.loop.call_soon_threadsafe(service.stop.set)
    assert idle.is_hung_up()
    service.works.go_on.set()
    assert is_named(busy.hear_two())
    assert busy.is_hung_up()


def test_at_the_end_work_is_not_waited_for_for_ever(service):
    service.works.go_on.clear()
    busy = service.connect()
    busy.say(3, MP4)
    wait_for(lambda: service.works.asked, what="the request")
    service.loop.call_soon_threadsafe(service.stop.set)
    assert busy.is_hung_up()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Of localhost, made for this test."""
    path = tmp_path_factory.mktemp("tls") / "site.pem"
    making = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    more = ["-addext", "subjectAltName=DNS:localhost", "-keyout", path, "-out", path.with_suffix(".crt")]
    subprocess.run([*making.split(), *more], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


def test_tls_is_spoken_where_there_is_a_certificate(start, certificate):
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    service = start(tls=ours)
    service.works.n_bytes = 3_000_000
    theirs = ssl.create_default_context(cafile=certificate)
    plain = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    with theirs.wrap_socket(plain, server_hostname="localhost") as secret:
        client = Client(secret)
        assert is_named(client.ask(3, MP4))
        client.say(3, MP4, n_bytes=2**31 + 5)
        assert client.hear_two() == (b"", b"ERROR_VIDEO_REQUEST")
        assert client.is_hung_up()
    stranger = service.connect()
    stranger.say(3, MP4)
    with suppress(ConnectionResetError):
        while stranger.peer.recv(1000):
            pass
    wait_for(lambda: service.listening.n_connections == 0, what="the end of who speaks no TLS")
