"""What people put right before it is settled who is who: said of ids in live messages, it waits until it is."""

from collections.abc import Collection
from typing import Final

import numpy as np

from sightline.jobs.history.story import Chronicle
from sightline.jobs.sites import messages
from sightline.jobs.sites.naming import homes
from sightline.model.history import Correction, WatchedTask
from sightline.model.identities import NOBODY
from sightline.model.job import OPEN, JobState
from sightline.stores.sql.corrections import Corrections
from sightline.stores.sql.jobs import Jobs

UNSETTLED: Final = (*OPEN, JobState.FAILED)
"""A job that failed can be tried again, and keeps what it had done."""
_MOST_TASKS = 100
Place = tuple[str, str]
"""A site, and a task over its recordings."""


def under_way(jobs: Jobs, identities: Collection[str]) -> dict[str, Place]:
    """Of those ids that tasks under way told of live, where; others are left out."""
    found: dict[str, Place] = {}
    for job in jobs.page(limit=_MOST_TASKS, states=UNSETTLED, kind="site"):
        for identity in messages.numbers(job.id, set(identities) - set(found)):
            found[identity] = str(job.params["site"]), job.id
    return found


def spoken_of(jobs: Jobs, corrections: Corrections, identity: str) -> Place | None:
    """Where somebody was told of live, or split off from somebody who was; None: nowhere."""
    made = {one.becomes: one.identity for one in corrections.of() if one.kind == "split"}
    while identity in made:
        identity = made[identity]
    return under_way(jobs, [identity]).get(identity)


def settle_waiting(chronicle: Chronicle, task: WatchedTask) -> None:
    """Has what was said of ids in live messages of a task hold for whom they turned out to be.

    Each is whom most of its sightings were settled to be. What is about nobody by now, has two be one who are one
    already, or splits somebody at a time when they were not there, is taken back. Doing it again changes nothing.
    """
    held = chronicle.corrections.of(task.site)
    said = messages.numbers(task.task_id, {name for one in held for name in (one.identity, one.becomes) if name})
    if not said:
        return
    found, there = chronicle.history.online(task.task_id), chronicle.history.identities([task.task_id])
    counts = np.column_stack([found["online"], found["number"], found["n_sightings"]]).astype(np.int64)
    became = {online: number for online, number, _ in homes(counts).tolist()}
    spans = dict(zip(there["id"].tolist(), zip(there["first_s"], there["last_s"], strict=True), strict=True))
    names = {
        live: live if live in spans else messages.identity(task.task_id, became.get(number, NOBODY))
        for live, number in said.items()
    }
    for one in held:
        identity = names.get(one.identity, one.identity)
        becomes = None if one.becomes is None else names.get(one.becomes, one.becomes)
        is_void = identity == becomes or (becomes is None and one.becomes is not None)
        if identity is None or is_void or _is_beside(one, task.task_id, spans.get(identity)):
            chronicle.corrections.undo(one.id)
        elif (identity, becomes) != (one.identity, one.becomes):
            chronicle.corrections.say_of(one.id, identity, becomes)


def _is_beside(one: Correction, task_id: str, span: tuple[float, float] | None) -> bool:
    """Whether a correction splits somebody at a time when they were not there, or not both before and after."""
    if span is None or one.kind != "split" or one.task_id != task_id or one.at_s is None:
        return False
    return not span[0] < one.at_s <= span[1]
