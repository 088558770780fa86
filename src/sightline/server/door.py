"""The address that a server listens on."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sightline.errors import OptionError, RefusedError
from sightline.settings import Settings


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket, bound before anything else starts: a port that is taken should be known at once.

    Raises:
        OptionError: the host is no address of this machine.
        RefusedError: the port is taken, or not for this user.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise OptionError(f"setting host: {settings.host!r} is no address of this machine: {error.strerror}") from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            why = f"{settings.host}:{settings.port}: {(error.strerror or str(error)).lower()}; choose another --port"
            raise RefusedError(why) from None
        yield listener
