"""Files from S3, or from what speaks its language."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import obstore
from obstore import GetOptions, ObjectMeta
from obstore.exceptions import BaseError
from obstore.store import S3Store

from sightline.errors import SourceError
from sightline.fetching.policy import Address
from sightline.fetching.until import Until
from sightline.fetching.web import Coming

_PIECE = 8 << 20


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
            **config,
        )
        key = address.url.removeprefix(f"s3://{address.host}/")
        found = until.wait_for(lambda: obstore.head(store, key))
    except (BaseError, FileNotFoundError, PermissionError, TypeError) as error:
        raise _said(error, address) from None
    return Coming(_pieces(store, found, address, until), found["size"])


def _pieces(store: S3Store, found: ObjectMeta, address: Address, until: Until) -> Iterator[bytes]:
    for first in range(0, found["size"], _PIECE):
        try:
            yield until.wait_for(partial(_piece, store, found, first))
        except (BaseError, OSError) as error:
            raise _said(error, address) from None


def _piece(store: S3Store, found: ObjectMeta, first: int) -> bytes:
    """What was replaced meanwhile is an error, not a mixture."""
    wanted: GetOptions = {"range": (first, min(first + _PIECE, found["size"])), "if_match": found["e_tag"]}
    return bytes(obstore.get(store, found["path"], options=wanted).bytes())


def _said(error: Exception, address: Address) -> Exception:
    """The error as one of ours; what S3 answers may tell of keys, so only its kind is passed on."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{address.shown}: no such bucket or file")
    return SourceError(f"{address.shown}: cannot be read from S3 ({type(error).__name__}); check the settings of S3")
