"""Connections to addresses that were checked, and to no others."""

import errno
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, final

import httpcore

from sightline.fetching.until import GLANCE_S, Until

CONNECT_S = 10.0
"""Time in which one address must answer."""
T = TypeVar("T")


@final
class Wire(httpcore.NetworkStream):
    """One connection. While it waits it keeps looking at whether to go on waiting."""

    def __init__(self, wire: socket.socket, until: Until) -> None:
        """``wire`` is connected, and from now on closed by this."""
        self._socket = wire
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What comes next; nothing at the end."""
        return self._patiently(lambda: self._socket.recv(max_bytes), timeout, httpcore.ReadTimeout, httpcore.ReadError)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends all of it."""
        left = memoryview(buffer)
        while left:
            piece = left
            n_sent = self._patiently(
                lambda piece=piece: self._socket.send(piece),  # type: ignore[misc]
                timeout,
                httpcore.WriteTimeout,
                httpcore.WriteError,
            )
            left = left[n_sent:]

    def close(self) -> None:
        """Lets go of the connection."""
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted, with a server that has shown to be ``server_hostname``."""
        try:
            secret = ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
            )
        except (OSError, ValueError) as error:
            self.close()
            raise httpcore.ConnectError(str(error)) from error
        wire, is_done = Wire(secret, self._until), False
        try:
            wire._patiently(secret.do_handshake, timeout, httpcore.ConnectTimeout, httpcore.ConnectError)
            is_done = True
        finally:
            if not is_done:
                wire.close()
        return wire

    def get_extra_info(self, info: str) -> Any:
        """The socket, for those who ask; nothing else."""
        return self._socket if info == "socket" else None

    def _patiently(
        self, act: Callable[[], T], timeout: float | None, late: type[Exception], broken: type[Exception]
    ) -> T:
        """What ``act`` gives; ``late`` when nothing happened for so long."""
        end = None if timeout is None else time.monotonic() + timeout
        self._socket.settimeout(GLANCE_S)
        while True:
            self._until.check()
            try:
                return act()
            except TimeoutError:
                if end is not None and time.monotonic() > end:
                    raise late(f"nothing for {timeout:g} s") from None
            except OSError as error:
                raise broken(str(error)) from error


@final
class Wires(httpcore.NetworkBackend):
    """Connects to the addresses it was made with, whatever name it is asked for."""

    def __init__(self, ips: Sequence[str], until: Until) -> None:
        """``ips`` are tried in their order."""
        self._ips = ips
        self._until = until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  (what httpcore asks for)
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """A connection to the first address that answers; ``host`` is not looked up."""
        last: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError(f"{host}: no address")
        for ip in self._ips:
            try:
                return Wire(_connected(ip, port, timeout or CONNECT_S, self._until), self._until)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002  (what httpcore asks for)
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Never."""
        raise httpcore.ConnectError("sockets of this machine are not connected to")


def _connected(ip: str, port: int, timeout_s: float, until: Until) -> socket.socket:
    """A connection, made without being deaf meanwhile."""
    wire = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
    is_done = False
    try:
        wire.setblocking(False)
        code = wire.connect_ex((ip, port))
        if code == errno.EINPROGRESS:
            if not _is_writable(wire, timeout_s, until):
                raise httpcore.ConnectTimeout(f"no answer within {timeout_s:g} s")
            code = wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise httpcore.ConnectError(os.strerror(code).lower())
        is_done = True
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    finally:
        if not is_done:
            wire.close()
    return wire


def _is_writable(wire: socket.socket, timeout_s: float, until: Until) -> bool:
    end = time.monotonic() + timeout_s
    with selectors.DefaultSelector() as selector:
        selector.register(wire, selectors.EVENT_WRITE)
        while time.monotonic() < end:
            until.check()
            if selector.select(GLANCE_S):
                return True
    return False
