"""Who was seen how often and when, and who turned out to be who, counted some rows at a time."""

from collections import Counter
from typing import final

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int

from sightline.jobs.sites import messages
from sightline.stores.sql.bulk import columns


@final
class Tally:
    """Counts of rows that are added in any order. What it holds grows with how many people there are."""

    def __init__(self) -> None:
        self._n = np.zeros(1, np.int64)
        self._first_s, self._last_s = np.array([np.inf]), np.array([-np.inf])
        self._became = Counter[tuple[int, int]]()
        self.last_moment, self.last_s = -1, 0.0

    @property
    def most(self) -> int:
        """The largest number of anybody."""
        return len(self._n) - 1

    def add(
        self,
        online: Int[np.ndarray, " n"],
        number: Int[np.ndarray, " n"],
        moment: Int[np.ndarray, " n"],
        t_s: Float[np.ndarray, " n"],
    ) -> None:
        """Some more rows: who it was said to be at once, who it turned out to be, and when."""
        if not len(number):
            return
        more = max(int(number.max()) - self.most, 0)
        self._n = np.append(self._n, np.zeros(more, np.int64))
        self._first_s = np.append(self._first_s, np.full(more, np.inf))
        self._last_s = np.append(self._last_s, np.full(more, -np.inf))
        who, when = number[number > 0], t_s[number > 0]
        self._n += np.bincount(who, minlength=len(self._n))
        np.minimum.at(self._first_s, who, when)
        np.maximum.at(self._last_s, who, when)
        both = (online > 0) & (number > 0)
        pairs, count = np.unique(np.column_stack([online[both], number[both]]), axis=0, return_counts=True)
        self._became.update(dict(zip(map(tuple, pairs.tolist()), count.tolist(), strict=True)))
        last = int(moment.argmax())
        if moment[last] > self.last_moment:
            self.last_moment, self.last_s = int(moment[last]), float(t_s[last])

    def people(self, task_id: str) -> pa.Table:
        """Everybody, with since when and until when they were seen."""
        who = np.flatnonzero(self._n)
        return columns(
            number=who,
            id=pa.array([messages.identity(task_id, one) for one in who.tolist()], pa.string()),
            first_s=self._first_s[who],
            last_s=self._last_s[who],
            n_sightings=self._n[who],
        )

    def became(self) -> pa.Table:
        """How many sightings of whom, as said at once, turned out to be whose."""
        rows = np.array([(*pair, n) for pair, n in sorted(self._became.items())], np.int64).reshape(-1, 3)
        return columns(online=rows[:, 0], number=rows[:, 1], n_sightings=rows[:, 2])
