"""How far a job is, noted now and then, and word from whoever wants it to end."""

import logging
import time
from collections.abc import Callable
from typing import final

from sqlalchemy.exc import SQLAlchemyError

from sightline.jobs.kinds.kind import Step
from sightline.model.job import Job
from sightline.stores.sql.jobs import Jobs

_EVERY_S = 0.5
"""The row is written no more often than this."""
_ASK_S = 0.3
"""How often it is asked whether somebody wants the job to end."""
_log = logging.getLogger(__name__)


@final
class Progress:
    """One attempt's way through its steps. A database that is away for a while does not end it."""

    def __init__(self, jobs: Jobs, job: Job, steps: tuple[Step, ...], *, stopping: Callable[[], bool]) -> None:
        """``stopping``: whether the worker is to end, which ends the work for now but not the job."""
        self._jobs, self._job, self._steps, self._stopping = jobs, job, steps, stopping
        self._step = steps[0]
        self._before = 0.0
        # An attempt that is taken up again stands where it stood: what is done once more does not take it back.
        self._least = job.progress or 0.0
        self._told: tuple[str, float | None] = ("starting" if job.progress is None else job.step, job.progress)
        self._noted: tuple[str, float | None] | None = None
        self._note_s = self._ask_s = 0.0
        self.is_cancelled = False

    def enter(self, index: int) -> None:
        """Step number ``index`` begins, one that is not done yet."""
        total = sum(step.share for step in self._steps)
        self._step = self._steps[index]
        self._before = sum(step.share for step in self._steps[:index]) / total
        self._share = self._step.share / total
        self._told = (self._step.shown, max(self._before, self._least))
        self._glance()

    def tell(self, step: str, done: int, total: int | None) -> None:
        """Takes what the work tells of itself."""
        now = self._before + self._share * self._within(step, min(done / total, 1.0) if total else 0.0)
        count = f" ({done} of {total})" if total else f" ({done})" if done else ""
        # Work may tell of several passes one after the other; what was done is not undone.
        self._told = (f"{step}{count}", max(now, self._told[1] or 0.0))

    def stopped(self) -> bool:
        """Whether the work is to end, because of a cancel or because the worker ends."""
        self._glance()
        return self.is_cancelled or self._stopping()

    def _within(self, name: str, share: float) -> float:
        """How much of the step is done with that share of a pass of this name."""
        weights = next((one for one in self._step.passes if name in one), {name: 1.0})
        before = list(weights)[: list(weights).index(name)]
        return (sum(weights[one] for one in before) + weights[name] * share) / sum(weights.values())

    def _glance(self) -> None:
        """Notes what is new, and asks, both at their pace."""
        now_s = time.monotonic()
        try:
            if self._told != self._noted and now_s >= self._note_s:
                self._note_s, self._ask_s = now_s + _EVERY_S, now_s + _ASK_S
                noted = self._told
                self.is_cancelled |= self._jobs.report(self._job.id, self._job.attempt, *noted)
                self._noted = noted
            elif now_s >= self._ask_s:
                self._ask_s = now_s + _ASK_S
                self.is_cancelled |= self._jobs.is_to_end(self._job.id, self._job.attempt)
        except SQLAlchemyError as error:
            _log.warning("job=%s progress not noted: %s", self._job.id, type(error).__name__)
