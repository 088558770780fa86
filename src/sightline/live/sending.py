"""Messages to another program's UDP or TCP port, at the pace at which they happened."""

import socket
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from urllib.parse import urlsplit

from sightline.errors import OptionError

_PATIENCE_S = 10.0


def send(messages: Iterable[tuple[float, bytes]], address: str, *, speed: float) -> int:
    """Sends each message when its second has come, ``speed`` times as fast as time passes; how many that were.

    ``messages`` are seconds and bytes, oldest first; the first goes out at once. ``address`` is ``udp://HOST:PORT``
    (one datagram for each; to a multicast group too, within the local network) or ``tcp://HOST:PORT``. Nobody says
    whether datagrams arrive.

    Raises:
        OptionError: the address is not one of those, or the speed is none.
        OSError: nobody listens there (TCP), or the network cannot be reached; names the address.
    """
    if not 0 < speed < float("inf"):
        raise OptionError(f"speed must be above 0, not {speed:g}")
    kind, host, port = _parts(address)
    try:
        return _udp(messages, host, port, speed) if kind == "udp" else _tcp(messages, host, port, speed)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), address) from error


def _parts(address: str) -> tuple[str, str, int]:
    """Kind, host and port."""
    try:
        parts = urlsplit(address)
        kind, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        kind, host, port = "", None, None
    if kind not in {"udp", "tcp"} or not host or not port:
        raise OptionError(f"{address!r} is no address to send to; write udp://HOST:PORT or tcp://HOST:PORT")
    return kind, host, port


def _udp(messages: Iterable[tuple[float, bytes]], host: str, port: int, speed: float) -> int:
    """One datagram for each."""
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with closing(socket.socket(family, kind, protocol)) as to:
        return _paced(messages, speed, lambda message: to.sendto(message, place))


def _tcp(messages: Iterable[tuple[float, bytes]], host: str, port: int, speed: float) -> int:
    """One after the other."""
    with closing(socket.create_connection((host, port), timeout=_PATIENCE_S)) as to:
        return _paced(messages, speed, to.sendall)


def _paced(messages: Iterable[tuple[float, bytes]], speed: float, out: Callable[[bytes], object]) -> int:
    """Hands them out in time."""
    n, began_s, first_s = 0, time.monotonic(), None
    for t_s, message in messages:
        first_s = t_s if first_s is None else first_s
        time.sleep(max(began_s + (t_s - first_s) / speed - time.monotonic(), 0.0))
        out(message)
        n += 1
    return n
