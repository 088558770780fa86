"""Files from web servers, by HTTP and HTTPS."""

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin, urlsplit

import httpcore
import httpx

from sightline.errors import RefusedError, SourceError
from sightline.fetching.content import check_type
from sightline.fetching.hosts import Resolver
from sightline.fetching.policy import Address, Policy
from sightline.fetching.until import Until
from sightline.fetching.wire import CONNECT_S, Wires

Answer = httpcore.Response
_SILENCE_S = 15.0
"""A server that sends nothing for so long has gone."""
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_SAFE = "/?%:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Coming:
    """A file on its way."""

    pieces: Iterator[bytes]
    """Its bytes, in order."""
    n_bytes: int | None
    """How many there will be, if anybody said so."""


@contextmanager
def coming(address: Address, policy: Policy, until: Until, resolve: Resolver) -> Iterator[Coming]:
    """The file at ``address``, which is http or https. Where a server sends us elsewhere, that is checked as well.

    Raises:
        RefusedError: the place that a server sends us to is not allowed.
        SourceError: there is no file, or none that may be media, or the connection breaks.
        StoppedError: somebody wants it to end.
    """
    first = address
    trusted = httpx.create_ssl_context()  # the usual authorities, or those in the file that SSL_CERT_FILE names
    try:
        for _ in range(policy.max_redirects + 1):
            with ExitStack() as stack:
                pool = stack.enter_context(
                    httpcore.ConnectionPool(trusted, network_backend=Wires(address.ips, until), max_connections=1)
                )
                answer = stack.enter_context(_asked(pool, address, _password(first, address)))
                if answer.status not in _ELSEWHERE:
                    yield _accepted(answer, address)
                    return
                url = urljoin(address.url, quote(_header(answer, b"location"), safe=_SAFE + "#[]"))
            address = _elsewhere(url, address, policy, until, resolve)
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        raise SourceError(f"{address.shown}: {_why(error)}") from None
    raise SourceError(
        f"{first.shown}: sends us elsewhere more than {policy.max_redirects} times; give the final address"
    )


def _password(first: Address, address: Address) -> str:
    """User and password, for the server whose address they were in and for no other."""
    is_same = (first.scheme, first.host, first.port) == (address.scheme, address.host, address.port)
    return unquote(urlsplit(first.url).netloc.rpartition("@")[0]) if is_same else ""


def _asked(pool: httpcore.ConnectionPool, address: Address, password: str) -> AbstractContextManager[Answer]:
    """What the server answers."""
    parts = urlsplit(address.url)
    port = address.port or _PORTS[address.scheme]
    name = f"[{address.host}]" if ":" in address.host else address.host
    headers = {
        "Host": name if port == _PORTS[address.scheme] else f"{name}:{port}",
        "User-Agent": "sightline",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    if password:
        headers["Authorization"] = "Basic " + base64.b64encode(password.encode()).decode()
    target = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
    url = httpcore.URL(scheme=address.scheme.encode(), host=name.encode(), port=port, target=target.encode())
    times = {"connect": CONNECT_S, "read": _SILENCE_S, "write": _SILENCE_S, "pool": CONNECT_S}
    return pool.stream("GET", url, headers=list(headers.items()), extensions={"timeout": times})


def _accepted(answer: Answer, address: Address) -> Coming:
    """The file in the answer.

    Raises:
        SourceError: the server has none for us, or sends what would have to be unpacked first, a page or a playlist.
    """
    if answer.status != 200:
        hint = "; put user and password into the address" if answer.status == 401 else ""
        raise SourceError(f"{address.shown}: the server answers {answer.status}{hint}")
    if _header(answer, b"content-encoding").strip().lower() not in {b"", b"identity"}:
        raise SourceError(f"{address.shown}: comes packed though asked not to; give an address that sends the file")
    check_type(_header(answer, b"content-type").decode("latin-1"), address.shown)
    said = _header(answer, b"content-length")
    return Coming(answer.iter_stream(), int(said) if said.isdigit() and len(said) < 20 else None)


def _elsewhere(url: str, last: Address, policy: Policy, until: Until, resolve: Resolver) -> Address:
    """Where the server sends us.

    Raises:
        RefusedError: there we do not go.
        SourceError: it makes no sense.
    """
    address = until.wait_for(lambda: policy.check(url, resolve))
    if address.scheme not in _PORTS:
        raise RefusedError(f"{last.shown}: sends us to a {address.scheme}: address; give that itself if you mean it")
    if last.scheme == "https" and address.scheme == "http":
        raise RefusedError(f"{last.shown}: sends us from https to http; give the final address if you mean it")
    return address


def _header(answer: Answer, name: bytes) -> bytes:
    """The first of that name, or nothing."""
    return next((value for key, value in answer.headers if key.lower() == name), b"")


def _why(error: Exception) -> str:
    """In a few words, without the address."""
    if isinstance(error, httpcore.ConnectTimeout | httpcore.ConnectError):
        return f"cannot be reached ({error}); check host and port"
    if isinstance(error, httpcore.TimeoutException):
        return f"the server fell silent ({error}); try again"
    if isinstance(error, httpcore.NetworkError):
        return f"the connection broke ({error}); try again"
    return f"the server broke off or answers nonsense ({str(error)[:100]}); try again"
