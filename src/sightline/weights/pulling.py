"""Weights fetched over the network, when asked for and only then."""

import hashlib
import http.client
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from sightline.errors import WeightsError
from sightline.files import whole
from sightline.weights import shelf
from sightline.weights.catalogue import Entry, catalogue

MOST_BYTES = 8 << 30
"""Largest file taken where the catalogue does not know the size."""
_CHUNK = 1 << 18
_LOCAL = ("127.0.0.1", "localhost", "::1")

Progress = Callable[[int, int | None], None]
"""(bytes so far, bytes in all if known)"""


def pull(
    name: str, *, sha256: str | None = None, progress: Progress | None = None, timeout_s: float = 30.0
) -> shelf.Card:
    """Fetches known weights to the shelf; nothing is left there unless the file is the one expected.

    ``sha256`` says which file is expected where the catalogue does not.

    Raises:
        WeightsError: the name is not in the catalogue, is on the shelf already, has no URL or no sha256, cannot
            be reached, or what came is not the file; with how to add it by hand.
    """
    entry = catalogue(shelf.folder()).get(name)
    if entry is None:
        known = ", ".join(catalogue(shelf.folder()))
        raise WeightsError(f"no weights {name!r} in the catalogue; there are: {known}")
    shelf.check_name(name)
    if name in shelf.on_shelf():
        raise WeightsError(f"weights {name!r} are on the shelf already; sightline models remove {name} first")
    by_hand = f"sightline models add {name} FILE"
    if entry.url is None:
        raise WeightsError(f"{name} has no address to pull from: {entry.how} ({entry.source}), then {by_hand}")
    expected = (sha256 or entry.sha256 or "").lower()
    if not expected:
        raise WeightsError(
            f"{name}: its sha256 is not known, so a pull could not tell the right file; "
            f"say it (--sha256), or fetch {entry.url} and {by_hand}"
        )
    suffix = shelf.suffix_of(urlsplit(entry.url).path)
    with whole(shelf.folder() / f"{name}{suffix}") as partial:
        found, n_bytes = _fetched(entry, partial, progress, timeout_s)
        if found != expected:
            raise WeightsError(
                f"{entry.url}: not the file expected: sha256 {found}, {n_bytes} bytes; expected {expected}"
            )
    return shelf.put_card(name, entry, found, suffix=suffix)


class _Guarded(HTTPRedirectHandler):
    """Follows redirections, but never to an address that is not encrypted."""

    def redirect_request(self, req: Request, fp: Any, *rest: Any) -> Request | None:
        """The next request, unless it goes where it should not."""
        try:
            _check_address(rest[-1])
        except WeightsError:
            fp.close()
            raise
        return super().redirect_request(req, fp, *rest)


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise WeightsError(f"{url}: weights are fetched over https only")


def _fetched(entry: Entry, partial: Path, progress: Progress | None, timeout_s: float) -> tuple[str, int]:
    """Digest and size of what came."""
    url = str(entry.url)
    _check_address(url)
    by_hand = f"fetch it by other means, then sightline models add {entry.name} FILE"
    try:
        with build_opener(_Guarded).open(Request(url), timeout=timeout_s) as answer:  # noqa: S310  checked above
            return _received(answer, entry, partial, progress)
    except HTTPError as error:
        error.close()
        raise WeightsError(f"{url}: the server says {error.code} {error.reason}; {by_hand}") from None
    except URLError as error:
        raise WeightsError(f"{url}: cannot be reached ({error.reason}); {by_hand}") from None
    except (TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise WeightsError(f"{url}: connection lost ({reason}); pull again, or {by_hand}") from None


def _received(answer: Any, entry: Entry, partial: Path, progress: Progress | None) -> tuple[str, int]:
    said = answer.headers.get("Content-Length", "")
    whole_bytes = int(said) if said.isdecimal() else None
    if entry.n_bytes and whole_bytes not in (None, entry.n_bytes):
        raise WeightsError(
            f"{entry.url}: {whole_bytes} bytes, but {entry.name} has {entry.n_bytes}; not the file expected"
        )
    most = entry.n_bytes or MOST_BYTES
    digest, n_bytes = hashlib.sha256(), 0
    with partial.open("wb") as file:
        while chunk := answer.read(_CHUNK):
            digest.update(chunk)
            n_bytes += file.write(chunk)
            if n_bytes > most:
                raise WeightsError(f"{entry.url}: more than the {most} bytes expected; not the file expected")
            if progress:
                progress(n_bytes, entry.n_bytes or whole_bytes)
    if n_bytes < (whole_bytes or 0):
        raise WeightsError(f"{entry.url}: cut off after {n_bytes} of {whole_bytes} bytes; pull again")
    return digest.hexdigest(), n_bytes
