"""Putting right who is who: two who are one, one who is two, names, and those to be forgotten."""

from typing import final
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import Engine

from sightline.errors import ConflictError, OptionError, UnknownError
from sightline.jobs.history.awaiting import UNSETTLED, spoken_of
from sightline.jobs.history.story import current
from sightline.model.history import Correction
from sightline.stores.sql.corrections import Corrections
from sightline.stores.sql.history import History
from sightline.stores.sql.jobs import Jobs

_LONGEST_NAME = 128
Spell = tuple[str, float, float]
"""A task, and since when and until when somebody was seen in it, on its clock; infinite while nobody can say."""


@final
class Corrector:
    """Takes corrections in. Each is checked against what holds before it, and can be taken back.

    People whom live messages of a task under way tell of can be merged, split and named, too: that waits until it is
    settled who they are.
    """

    def __init__(self, engine: Engine) -> None:
        self._history, self.kept, self._jobs = History(engine), Corrections(engine), Jobs(engine)

    def people(self, site: str) -> dict[str, list[Spell]]:
        """By id, everybody of a site by what holds now, with when they were seen."""
        tasks = self._history.tasks(site)
        found = self._history.identities([task.task_id for task in tasks])
        return dict(current(found, tasks, self.kept.of(site)))

    def merge(self, identity: str, into: str, owner: str) -> Correction:
        """From now on ``identity`` is ``into``, everywhere.

        Raises:
            UnknownError: one of them is nobody.
            OptionError: they are the same, or of different sites.
        """
        site, _ = self._known(identity)
        if identity == into:
            raise OptionError("into: a person cannot be merged with itself")
        if self._known(into)[0] != site:
            raise OptionError("into: the two are people of different sites")
        return self._add(
            Correction(id=uuid4().hex, site=site, kind="merge", identity=identity, becomes=into, owner=owner)
        )

    def split(self, identity: str, at_s: float, owner: str, task_id: str | None = None) -> Correction:
        """From ``at_s`` on, on the clock of the task, ``identity`` is somebody else, who gets an id of their own.

        ``task_id`` is needed where the person was seen in several tasks.

        Raises:
            UnknownError: there is nobody of that id.
            OptionError: they were seen in several tasks, or not both before and after ``at_s``.
        """
        site, spells = self._known(identity)
        mine = [spell for spell in spells if task_id in {None, spell[0]}]
        if len(mine) != 1:
            tasks = ", ".join(str(UUID(spell[0])) for spell in spells)
            raise OptionError(f"task_id: say in which task; the person was seen in {tasks}")
        task, first_s, last_s = mine[0]
        if not first_s < at_s <= last_s:
            raise OptionError(f"at_s: the person was seen from {first_s:.3f} to {last_s:.3f} s; choose a time between")
        number = uuid4()
        return self._add(
            Correction(
                id=number.hex, site=site, kind="split", identity=identity, becomes=str(number), task_id=task,
                at_s=at_s, owner=owner,
            )
        )  # fmt: skip

    def rename(self, identity: str, name: str, owner: str) -> Correction:
        """From now on ``identity`` is called ``name``; an empty name takes the name away.

        Raises:
            UnknownError: there is nobody of that id.
            OptionError: the name is too long, or cannot be shown.
        """
        site, _ = self._known(identity)
        name = name.strip()
        if len(name) > _LONGEST_NAME or not all(letter.isprintable() for letter in name):
            raise OptionError(f"name: at most {_LONGEST_NAME} characters, and none that cannot be shown")
        return self._add(
            Correction(id=uuid4().hex, site=site, kind="rename", identity=identity, name=name, owner=owner)
        )

    def erase(self, identity: str, owner: str) -> Correction:
        """From now on ``identity`` is shown nowhere; to have everything removed, see ``forgetting``.

        Raises:
            UnknownError: there is nobody of that id.
            ConflictError: a task that they were seen in may still write files.
        """
        site, spells = self._known(identity)
        for task_id, _, _ in spells:
            if self._jobs.standing(task_id)[0] in UNSETTLED:
                raise ConflictError(f"task {UUID(task_id)} has not ended well; wait for it, or remove its job first")
        return self._add(Correction(id=uuid4().hex, site=site, kind="erase", identity=identity, owner=owner))

    def undo(self, correction_id: str) -> Correction:
        """Takes a correction back; those made after it hold still, as far as they are about people there are.

        Raises:
            UnknownError: there is none.
            ConflictError: it is an erasure, or it was taken back before.
        """
        if self.kept.get(correction_id).undone_utc_s is not None:
            raise ConflictError(f"correction {correction_id} was taken back before")
        return self.kept.undo(correction_id)

    def _known(self, identity: str) -> tuple[str, list[Spell]]:
        """The site and the spells of somebody.

        Raises:
            UnknownError: there is nobody of that id.
        """
        found = self._history.with_identity(identity)
        made = [one.site for one in self.kept.of() if one.becomes == identity]
        sites = {*made, *(self._history.task(task_id).site for task_id, _ in found)}
        for site in sorted(sites):
            if (spells := self.people(site).get(identity)) is not None:
                return site, spells
        if (place := spoken_of(self._jobs, self.kept, identity)) is not None:
            site, task_id = place
            return site, [(task_id, -np.inf, np.inf)]
        raise UnknownError(f"no person {identity[:64]!r}; whom those in live messages turned out to be, live-ids tells")

    def _add(self, correction: Correction) -> Correction:
        return self.kept.add(correction)
