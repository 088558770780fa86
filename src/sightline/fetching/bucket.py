"""Files from S3, or from what speaks its language."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from sightline.errors import SourceError
from sightline.fetching.policy import Address
from sightline.fetching.until import Until
from sightline.fetching.web import Coming

_PIECE = 8 << 20
_OLDER = "S3_ENDPOINT_URL"
"""What an older service calls ``AWS_ENDPOINT_URL``."""
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")


def where(config: Mapping[str, Any]) -> dict[str, Any]:
    """``config`` for ``obstore.store.S3Store``, which takes what is unsaid from ``AWS_`` variables.

    Where those name no endpoint, ``S3_ENDPOINT_URL`` does.
    """
    older = os.environ.get(_OLDER)
    if not older or any(name in os.environ for name in _ENDPOINTS):
        return dict(config)
    return {"endpoint": older, **config}


def coming(address: Address, config: Mapping[str, Any], until: Until) -> Coming:
    """The file at ``address``, which is s3; ``config`` is as for ``obstore.store.S3Store``.

    Raises:
        SourceError: there is no such file, or it may not be read, or nobody answers.
        StoppedError: somebody wants it to end.
    """
    try:
        store = S3Store(
            address.host,
            client_options={"allow_http": True, "connect_timeout": "5s", "timeout": "30s"},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            **where(config),
        )
        key = address.url.removeprefix(f"s3://{address.host}/")
        found = until.wait_for(lambda: obstore.head(store, key))
    except (BaseError, FileNotFoundError, PermissionError, TypeError) as error:
        raise _said(error, address) from None
    n_bytes = found["size"]
    ranges = ((first, min(first + _PIECE, n_bytes)) for first in range(0, n_bytes, _PIECE))
    asks = (partial(_piece, store, key, found["e_tag"], part) for part in ranges)
    return Coming(_pieces(asks, address, until), n_bytes)


def _pieces(asks: Iterable[Callable[[], bytes]], address: Address, until: Until) -> Iterator[bytes]:
    for ask in asks:
        try:
            yield until.wait_for(ask)
        except (BaseError, OSError) as error:
            raise _said(error, address) from None


def _piece(store: S3Store, key: str, tag: str | None, part: tuple[int, int]) -> bytes:
    """What was replaced meanwhile is an error, not a mixture."""
    return bytes(obstore.get(store, key, options={"range": part, "if_match": tag}).bytes())


def _said(error: Exception, address: Address) -> Exception:
    """The error as one of ours; what S3 answers may tell of keys, so only its kind is passed on."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{address.shown}: no such bucket or file")
    return SourceError(f"{address.shown}: cannot be read from S3 ({type(error).__name__}); check the settings of S3")
