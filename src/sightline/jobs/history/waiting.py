"""Writing history down although the database is away, or its disk is full, for a while."""

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from sightline.errors import StoreError
from sightline.executors.local import Stopped, Tell

_AGAIN_S = 1.0
"""How long it is waited before it is tried again."""
_log = logging.getLogger(__name__)


def written(write: Callable[[], None], tell: Tell, stopped: Stopped) -> None:
    """Has ``write``, which changes nothing when done twice, done as soon as the database lets it, or until ``stopped``.

    What was watched is not given up for want of a database: nobody wants to watch it again.
    """
    before = ""
    while not stopped():
        try:
            write()
        except (StoreError, OperationalError) as error:
            why = str(error.orig if isinstance(error, OperationalError) else error).strip().partition("\n")[0]
            if why != before:
                _log.warning("history not written, trying again: %s", why)
            before = why
            tell(f"Waiting for the database ({why})", 0, None)
            time.sleep(_AGAIN_S)
        else:
            return
