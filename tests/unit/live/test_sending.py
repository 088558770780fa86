"""Messages arrive whole, in order and in time at real sockets."""

import socket
import threading
import time
from contextlib import closing

import pytest

from sightline.errors import OptionError
from sightline.live.sending import send

MESSAGES = [(5.0, b"<event n='1'/>"), (5.1, b"<event n='2'/>"), (5.3, b"<event n='3'/>")]


def test_each_message_is_a_datagram_of_its_own():
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as here:
        here.bind(("127.0.0.1", 0))
        here.settimeout(10)
        assert send(MESSAGES, f"udp://127.0.0.1:{here.getsockname()[1]}", speed=100.0) == 3
        assert [here.recv(9000) for _ in MESSAGES] == [message for _, message in MESSAGES]


def test_a_connection_gets_them_one_after_the_other_and_is_closed():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        got = []

        def take():
            with closing(server.accept()[0]) as there, there.makefile("rb") as stream:
                got.append(stream.read())

        reader = threading.Thread(target=take)
        reader.start()
        send(MESSAGES, f"tcp://127.0.0.1:{server.getsockname()[1]}", speed=100.0)
        reader.join(10)
    assert got == [b"".join(message for _, message in MESSAGES)]


def test_messages_wait_for_their_time():
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as here:
        here.bind(("127.0.0.1", 0))
        begun = time.monotonic()
        send(MESSAGES, f"udp://127.0.0.1:{here.getsockname()[1]}", speed=2.0)
        assert time.monotonic() - begun >= 0.149  # 0.3 s at twice the speed, never sooner


@pytest.mark.parametrize("address", ["http://a:1", "udp://a", "udp://:5", "tcp://a:99999", "nowhere", "tcp://[::1:4"])
def test_other_addresses_are_refused(address):
    with pytest.raises(OptionError, match="udp://HOST:PORT"):
        send(MESSAGES, address, speed=1.0)


def test_a_speed_of_nothing_is_refused():
    with pytest.raises(OptionError, match="speed"):
        send(MESSAGES, "udp://127.0.0.1:9", speed=0.0)


def test_a_port_where_nobody_listens_is_told_by_its_address():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    with pytest.raises(OSError, match=r"refused.*tcp://127\.0\.0\.1"):
        send(MESSAGES, f"tcp://127.0.0.1:{port}", speed=1.0)
