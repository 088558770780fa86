"""Streams that cannot send their reader elsewhere.

libav looks names up by itself and follows an RTSP server that says ``302 Location: rtsp://10.0.0.7/``, and no option
keeps it from that. So it is given an address on this machine, behind which is the checked server and nothing else.
"""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from selectors import EVENT_READ, DefaultSelector
from threading import Event, Thread
from typing import final
from urllib.parse import urlsplit

from sightline.errors import RefusedError, SourceError
from sightline.fetching.policy import Address
from sightline.fetching.until import GLANCE_S
from sightline.fetching.wire import CONNECT_S

_PORTS = {"rtsp": 554, "rtsps": 322}
_PIECE = 1 << 16
_NUMBER = re.compile(rb"[-+0-9]")
_FINE = re.compile(rb"[12456][0-9][0-9]")
"""The only numbers of answers let by: libav takes ``+0302`` for a redirection, and 4294967598 too."""
_LONGEST_LINE = 4096


@contextmanager
def relayed(address: Address) -> Iterator[str]:
    """An address of this machine to give to libav instead of ``address``, which is rtsp or rtsps; by TCP only.

    What goes through is not changed. When the server answers with a redirection the connection is cut.
    As with libav itself, nobody vouches for the certificate of an rtsps server: cameras sign their own.

    Raises:
        RefusedError: reading failed and the server had tried to send us elsewhere.
        SourceError: not a stream; or whatever reading raised.
    """
    if address.pinned_url is None:
        raise SourceError(f"{address.shown}: not a stream; only rtsp and rtsps are relayed")
    with closing(socket.create_server(("127.0.0.1", 0), backlog=1)) as door:
        relay = _Relay(address, door)
        thread = Thread(target=relay.serve, name="relay", daemon=True)
        thread.start()
        try:
            yield relay.url
        except SourceError:
            if relay.was_sent_elsewhere:
                raise RefusedError(
                    f"{address.shown}: the server sends us elsewhere; give the final address if you mean it"
                ) from None
            raise
        finally:
            relay.is_over.set()
            thread.join(2 * GLANCE_S + 1)


@final
class _Relay:
    """Takes one reader after another to the same server."""

    def __init__(self, address: Address, door: socket.socket) -> None:
        self._address = address
        self._door = door
        self.is_over = Event()
        self.was_sent_elsewhere = False
        parts = urlsplit(address.pinned_url or "")
        user, at, _ = parts.netloc.rpartition("@")
        rest = parts.path + (f"?{parts.query}" if parts.query else "")
        self.url = f"rtsp://{user}{at}127.0.0.1:{door.getsockname()[1]}{rest}"

    def serve(self) -> None:
        """Until it is over."""
        self._door.settimeout(GLANCE_S)
        while not self.is_over.is_set():
            with suppress(OSError):  # a reader that goes, or a server that does not answer: the reader notices
                reader, _ = self._door.accept()
                with closing(reader), closing(self._server()) as server:
                    self._pass_on(reader, server)

    def _server(self) -> socket.socket:
        """A connection to one of the checked addresses.

        Raises:
            OSError: none of them answers.
        """
        port = self._address.port or _PORTS[self._address.scheme]
        for last, ip in enumerate(self._address.ips, 1):
            try:
                wire = socket.create_connection((ip, port), CONNECT_S)
            except OSError:
                if last == len(self._address.ips):
                    raise
            else:
                return wire if self._address.scheme == "rtsp" else _secret(wire)
        raise OSError("no address")

    def _pass_on(self, reader: socket.socket, server: socket.socket) -> None:
        """Both ways, until one of them has enough."""
        for end in (reader, server):
            end.settimeout(GLANCE_S)
        line = b""
        with DefaultSelector() as selector:
            selector.register(reader, EVENT_READ, server)
            selector.register(server, EVENT_READ, reader)
            while not self.is_over.is_set():
                for key, _ in selector.select(GLANCE_S):
                    source = reader if key.fileobj is reader else server
                    with suppress(TimeoutError):  # bytes of the encryption's own
                        piece = source.recv(_PIECE)
                        if source is server:
                            line += piece.replace(b"\r", b"")  # libav leaves them out wherever they are
                            if _sends_elsewhere(line):
                                self.was_sent_elsewhere = True
                                return
                            line = line[line.rfind(b"\n") + 1 :][-_LONGEST_LINE:]
                        if not piece:
                            return
                        self._send(key.data, piece)

    def _send(self, target: socket.socket, piece: bytes) -> None:
        left = memoryview(piece)
        while left and not self.is_over.is_set():
            with suppress(TimeoutError):  # it reads slowly
                left = left[target.send(left) :]


def _sends_elsewhere(text: bytes) -> bool:
    """Whether libav could find a redirection anywhere in it, whatever stands around it."""
    if b"RTSP/" not in text:
        return False
    whole = text if text[-1:].isspace() else text[: -len(text.split()[-1])]  # the last word may go on
    words = pairwise(whole.split())
    return any(b"RTSP/" in one and _NUMBER.match(two) and not _FINE.fullmatch(two) for one, two in words)


def _secret(wire: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(wire)
