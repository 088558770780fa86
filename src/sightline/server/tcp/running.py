"""Running the TCP service: the address, TLS, the workers, and an orderly end."""

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from sightline.errors import OptionError
from sightline.server import logs
from sightline.server.auth.guard import Guard, check_bind
from sightline.server.changes import Changes
from sightline.server.children import workers
from sightline.server.door import listening
from sightline.server.installation import Installation, opened
from sightline.server.tcp.desk import ReconstructionDesk
from sightline.server.tcp.listening import Listening
from sightline.server.tcp.members import Members
from sightline.server.tcp.session import Shared
from sightline.server.tcp.uploads import incoming
from sightline.settings import Settings, Tcp

_BACKLOG = 128
"""How many may wait to be taken in."""
_FOLDER = "incoming-tcp"
"""Where uploads are on their way, in the data folder."""


def run(settings: Settings, say: Callable[[str], None], config: Path | None = None) -> None:
    """Serves until told to stop by SIGINT or SIGTERM. Workers read ``config`` again.

    Raises:
        SightlineError: a store cannot be reached, a setting makes no sense, or it would not be safe.
        OSError: the address cannot be listened on.
    """
    logs.set_up(settings)
    tls = tls_of(settings.tcp)
    with opened(settings) as installation:
        check_bind(settings, installation.engine)
        with (
            listening(settings.model_copy(update={"port": settings.tcp.port})) as listener,
            incoming(settings.data_folder / _FOLDER) as folder,
        ):
            host, port = listener.getsockname()[:2]
            listener.listen(_BACKLOG)
            with workers(settings, config):
                if (most := settings.tcp.local_points) > 0:
                    say(f"clients on this machine get at most {most} points of a scene (setting tcp.local_points)")
                say(f"listening on {'tls' if tls else 'tcp'}://{f'[{host}]' if ':' in host else host}:{port}")
                asyncio.run(_serve(installation, listener, folder, tls))


def tls_of(tcp: Tcp) -> ssl.SSLContext | None:
    """What TLS is spoken with; None where it is not spoken.

    Raises:
        OptionError: the files cannot be used.
    """
    if tcp.certificate is None:
        if tcp.key is not None:
            raise OptionError("setting tcp.key: give tcp.certificate too")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tcp.certificate, tcp.key)
    except (OSError, ValueError) as error:  # of a key with a password, too: there is nobody to ask for it
        shown = tcp.certificate if tcp.key is None else f"{tcp.certificate} and {tcp.key}"
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise OptionError(f"setting tcp.certificate: {shown}: {why}") from None
    return context


async def _serve(installation: Installation, listener: socket.socket, folder: Path, tls: ssl.SSLContext | None) -> None:
    """Until told to stop."""
    settings, stop = installation.settings, asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    guard, changes = Guard(settings, installation.engine), Changes(installation.jobs)
    try:
        works = ReconstructionDesk(installation, changes)
        shared = Shared(settings.tcp, Members(settings, guard), works, folder)
        silence_s, shutdown_s = settings.limits.chunk_timeout_s, settings.shutdown_s
        await Listening(shared, silence_s=silence_s, shutdown_s=shutdown_s, tls=tls).until(stop, listener)
    finally:
        await changes.close()
        await guard.close()
        await installation.hub.close()
