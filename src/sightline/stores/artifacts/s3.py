"""Artifacts in S3, or in what speaks its language."""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, final

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from sightline.errors import OptionError, StoreError
from sightline.fetching.bucket import where
from sightline.stores.artifacts.artifact import Finished, Stored, absent, changed, check_range, checked, is_key, named

_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(/[A-Za-z0-9._=-]+)*)/?")
_PIECE = 4 << 20
_PART = 8 << 20
_MOST_PARTS = 9000
"""S3 takes 10 000."""
_LATELY = timedelta(minutes=20)
_AT_ONCE = 4
"""Parts sent at the same time; with their size, what an upload costs in memory."""


@final
class S3Artifacts:
    """Artifacts in a bucket, the one with key ``abcdef...`` as ``PREFIX/ab/cdef...``.

    Big files go up in parts. Parts whose sender was killed are invisible but cost money: let the bucket have a rule
    that removes unfinished uploads after a day.
    """

    def __init__(self, url: str, **config: Any) -> None:
        """``url`` is ``s3://BUCKET/PREFIX``; nothing is asked of it before something is kept or read.

        ``config``: what ``obstore.store.S3Config`` lists, as ``endpoint``, ``region``, ``access_key_id`` and
        ``secret_access_key``; unsaid, from the variables ``AWS_ENDPOINT_URL``, ``AWS_REGION`` and so on.
        ``S3_ENDPOINT_URL`` is understood too.

        Raises:
            OptionError: that is no such address, or no such configuration.
        """
        address = _ADDRESS.fullmatch(url)
        if address is None or ".." in url:
            raise OptionError("artifacts: give s3://BUCKET/PREFIX, with letters, digits and . _ = - in the prefix")
        self._shown = url.rstrip("/")
        try:
            self._store = S3Store(
                address["bucket"],
                prefix=address["prefix"].strip("/") or None,
                # Whoever runs the system chose the endpoint, so plain HTTP is their choice too.
                client_options={"allow_http": True, "connect_timeout": "5s", "timeout": "120s"},
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
                **where(config),
            )
        except (BaseError, TypeError) as error:
            raise OptionError(f"{self._shown}: {_short(error)}") from None

    def put(self, path: Path) -> Stored:
        """Keeps the finished file at ``path``, see ``Artifacts.put``.

        Raises:
            StoreError: there is no such file, it changed meanwhile, or the bucket cannot be written.
        """
        finished = Finished.at(path)
        stored = finished.stored
        if self._has(stored):
            return stored
        part = max(_PART, -(-stored.n_bytes // _MOST_PARTS))
        try:
            body = _parts(path, part, stored.sha256)  # ends in an error if the file changed: nothing is kept then
            whole = b"".join(body) if stored.n_bytes <= part else body
            obstore.put(self._store, _place(stored.key), whole, chunk_size=part, max_concurrency=_AT_ONCE)
        except (BaseError, OSError) as error:
            raise self._said(error) from None
        return stored

    def open(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes ``[start, end)`` in pieces, each asked for by itself: a slow reader keeps no connection.

        Raises:
            AbsentError: nothing has this key.
            StoreError: the bucket cannot be read.
            ValueError: the range is not within the file.
        """
        check_range(start, end, self.n_bytes(key))
        return self._pieces(key, start, end)

    def n_bytes(self, key: str) -> int:
        """How many bytes there are.

        Raises:
            AbsentError: nothing has this key.
            StoreError: the bucket cannot be read.
        """
        size = self._size(checked(key))
        if size is None:
            raise absent(key)
        return size

    def delete(self, key: str) -> None:
        """Removes it; who is reading it may be cut short.

        Raises:
            StoreError: the bucket cannot be written.
        """
        try:
            obstore.delete(self._store, _place(checked(key)))
        except FileNotFoundError:  # some say so; no key at all is said in the same way
            return
        except (BaseError, OSError) as error:
            raise self._said(error) from None

    def keys_before(self, utc_s: float) -> Iterator[str]:
        """Keys of what was last put before a moment.

        Raises:
            StoreError: the bucket cannot be read.
        """
        before = datetime.fromtimestamp(utc_s, UTC)
        try:
            for some in obstore.list(self._store, chunk_size=1000):
                for found in some:
                    key = found["path"].replace("/", "")
                    if is_key(key) and found["last_modified"] < before:
                        yield key
        except (BaseError, OSError) as error:
            raise self._said(error) from None

    @contextmanager
    def path(self, key: str) -> Iterator[Path]:
        """A copy in the folder for temporary files, removed afterwards.

        Raises:
            AbsentError: nothing has this key.
            StoreError: the bucket cannot be read, or the copy not be written.
        """
        pieces = self.open(key, 0, self.n_bytes(key))
        with tempfile.TemporaryDirectory(prefix="sightline-") as folder:
            copy = Path(folder) / key
            try:
                with copy.open("xb") as file:
                    file.writelines(pieces)
            except OSError as error:
                raise named(error, copy) from None
            yield copy

    def _has(self, stored: Stored) -> bool:
        """Whether it is kept, and was put lately: what was not may be about to be removed as nobody's."""
        try:
            found = obstore.head(self._store, _place(stored.key))
        except FileNotFoundError:
            return False
        except (BaseError, OSError) as error:
            raise self._said(error) from None
        return found["size"] == stored.n_bytes and datetime.now(UTC) - found["last_modified"] < _LATELY

    def _size(self, key: str) -> int | None:
        try:
            return obstore.head(self._store, _place(key))["size"]
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise self._said(error) from None

    def _pieces(self, key: str, start: int, end: int) -> Iterator[bytes]:
        for first in range(start, end, _PIECE):
            try:
                piece = obstore.get_range(self._store, _place(key), start=first, end=min(first + _PIECE, end))
            except FileNotFoundError:
                raise absent(key) from None
            except (BaseError, OSError) as error:
                raise self._said(error) from None
            yield bytes(piece)

    def _said(self, error: Exception) -> StoreError:
        if isinstance(error, StoreError):
            return error
        return StoreError(f"{self._shown}: {_short(error)}")


def _place(key: str) -> str:
    return f"{key[:2]}/{key[2:]}"


def _parts(path: Path, part: int, sha256: str) -> Iterator[bytes]:
    """What is in the file, read for the second time.

    Raises:
        StoreError: in the end, it is not what it was the first time, so that the upload does not come about.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(part):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != sha256:
        raise changed(path)


def _short(error: Exception) -> str:
    """The first line, which says what was asked and answered; the rest is the library's own workings."""
    with suppress(IndexError):
        return str(error).splitlines()[0][:300]
    return type(error).__name__
