"""Bringing a file here."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from sightline.errors import RefusedError, SourceError, StoreError
from sightline.fetching import bucket, web
from sightline.fetching.content import HEAD, check_media
from sightline.fetching.hosts import Resolver, resolved
from sightline.fetching.policy import Address, Policy
from sightline.fetching.until import Stopped, StoppedError, Until

Tell = Callable[[str, int, int | None], None]
"""Is told the step, how many bytes of it are done, and of how many (None: nobody knows)."""
_TOLD = 1 << 20


def download(
    url: str,
    folder: Path,
    policy: Policy,
    tell: Tell,
    stopped: Stopped,
    *,
    s3: Mapping[str, Any] | None = None,
    media: bool = True,
    resolve: Resolver = resolved,
) -> Path | None:
    """The file at ``url``, in ``folder`` under a name of ours; None when ``stopped``, within a second.

    A file of this machine is not copied: its own path comes back, and is not to be removed or written to.
    ``s3`` is how to reach S3, as for ``obstore.store.S3Store``; what is unsaid comes from ``AWS_`` variables.
    ``media``: whether it has to be pictures or sound, as all must be that a decoder is to open; else anything.
    Nothing stays in ``folder`` unless the whole file came.

    Raises:
        RefusedError: the address is not allowed, or the file too big; says which setting would allow it.
        SourceError: there is no such file, it is a page or a playlist, or it could not be fetched.
        StoreError: it cannot be written.
    """
    until = Until("address", policy.timeout_s, stopped)
    try:
        address = until.wait_for(lambda: policy.check(url, resolve))
        if address.path is not None:
            return _local(address.path, address, policy, media=media)
        until = Until(address.shown, policy.timeout_s, stopped)
        with _coming(address, policy, until, s3, resolve) as coming:
            _check_size(coming.n_bytes or 0, address, policy)
            pieces = _inspected(coming.pieces, address) if media else coming.pieces
            return _written(pieces, folder, address, policy, _teller(tell, coming.n_bytes, until))
    except StoppedError:
        return None


def _coming(
    address: Address, policy: Policy, until: Until, s3: Mapping[str, Any] | None, resolve: Resolver
) -> AbstractContextManager[web.Coming]:
    """The bytes, from wherever they are."""
    if address.scheme in {"http", "https"}:
        return web.coming(address, policy, until, resolve)
    if address.scheme != "s3":
        raise SourceError(f"{address.shown}: a live stream; there is no file to fetch")
    return nullcontext(bucket.coming(address, s3 or {}, until))


def _local(path: Path, address: Address, policy: Policy, *, media: bool) -> Path:
    try:
        _check_size(path.stat().st_size, address, policy)
        with path.open("rb") as file:
            head = file.read(HEAD)
        if media:
            check_media(head, address.shown)
    except OSError as error:
        if isinstance(error, RefusedError | SourceError):
            raise
        raise SourceError(f"{address.shown}: {(error.strerror or 'cannot be read').lower()}") from None
    return path


def _written(
    pieces: Iterator[bytes], folder: Path, address: Address, policy: Policy, told: Callable[[int], None]
) -> Path:
    """The whole file, or nothing."""
    path, is_whole = folder / f"{secrets.token_hex(16)}.media", False
    try:
        with path.open("xb") as file:
            n_bytes = 0
            for piece in pieces:
                n_bytes += len(piece)
                _check_size(n_bytes, address, policy)
                file.write(piece)
                told(n_bytes)
        is_whole = True
    except OSError as error:
        if isinstance(error, RefusedError | SourceError):
            raise
        raise StoreError(f"{folder}: {(error.strerror or 'cannot be written').lower()}") from None
    finally:
        if not is_whole:
            path.unlink(missing_ok=True)
    return path


def _inspected(pieces: Iterator[bytes], address: Address) -> Iterator[bytes]:
    """The same bytes, after a look at the first of them."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= HEAD:
            break
    check_media(head[:HEAD], address.shown)
    yield head
    yield from pieces


def _check_size(n_bytes: int, address: Address, policy: Policy) -> None:
    if n_bytes > policy.max_bytes:
        limit = f"more than {policy.max_bytes} bytes"
        raise RefusedError(f"{address.shown}: {limit}; to allow it, raise fetching.max_bytes")


def _teller(tell: Tell, total: int | None, until: Until) -> Callable[[int], None]:
    """Says how far it is, but not for every piece."""
    told = -_TOLD

    def so_far(n_bytes: int) -> None:
        nonlocal told
        until.check()
        if n_bytes - told >= _TOLD or n_bytes == total:
            told = n_bytes
            tell("downloading", n_bytes, total)

    return so_far
