"""Whether somebody else answers: said once when that changes, with the pause before the next try."""

import logging
import random
import time
from collections.abc import Callable
from typing import final

_log = logging.getLogger(__name__)
_SHORTEST_S = 0.1
_LONGEST_S = 2.0


@final
class Outage:
    """Counts failures of one thing, and how long to leave it alone after each: twice as long every time.

    The pause is drawn between half and the whole, so that many processes do not come back at the same moment.
    """

    def __init__(self, what: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._pause_s = _SHORTEST_S
        self._again_s = 0.0
        self._began_s: float | None = None

    @property
    def left_s(self) -> float:
        """Seconds until the next try is due; 0 if it is."""
        return max(self._again_s - self._clock(), 0.0)

    def failed(self, reason: str) -> None:
        """A try failed. Failures of tries that were begun together count as one."""
        now = self._clock()
        if self._began_s is None:
            self._began_s, self._pause_s = now, _SHORTEST_S
            _log.warning("%s failed, will be tried again: %s", self._what, reason)
        elif now >= self._again_s:
            self._pause_s = min(2 * self._pause_s, _LONGEST_S)
        else:
            return
        self._again_s = now + self._pause_s * random.uniform(0.5, 1.0)

    def ended(self) -> None:
        """A try succeeded."""
        if self._began_s is not None:
            _log.warning("%s works again after %.1f s", self._what, self._clock() - self._began_s)
            self._began_s, self._again_s = None, 0.0
