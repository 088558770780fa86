"""Who is who with what people put right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sightline.model.history import Correction


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Rows of anything with whom they are about, as it was found."""

    task: Int[np.ndarray, " n"]
    """Index into the tasks that are looked at."""
    t_s: Float[np.ndarray, " n"]
    """When, on the clock of the task's site."""
    person: Int[np.ndarray, " n"]
    """Index into the ids of people; -1: nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Everybody, with corrections applied to any rows by ``of``."""

    ids: tuple[str, ...]
    """By number, the id; those that became others are there still, and have no rows."""
    names: Mapping[str, str]
    """By id, what people call them, where somebody said so."""
    _tasks: Sequence[str]
    _corrections: Sequence[Correction]

    def cuts_s(self, task: str) -> list[float]:
        """When somebody in a task becomes another."""
        mine = (one for one in self._corrections if one.kind == "split" and one.task_id == task)
        return [one.at_s for one in mine if one.at_s is not None]

    def of(self, found: Found) -> Int[np.ndarray, " n"]:
        """By row, who it is; -1: nobody, or somebody to be forgotten."""
        person = found.person.copy()
        place = {name: number for number, name in enumerate(self.ids)}
        for one in self._corrections:
            who = place.get(one.identity)
            if who is None or one.kind == "rename":
                continue
            mine = person == who
            if one.kind == "split":
                if one.task_id not in self._tasks or one.at_s is None:
                    continue
                mine &= (found.task == self._tasks.index(one.task_id)) & (found.t_s >= one.at_s)
            person[mine] = -1 if one.kind == "erase" else place[one.becomes or one.identity]
        return person


def people(ids: Sequence[str], tasks: Sequence[str], corrections: Sequence[Correction]) -> People:
    """Those found, those that corrections make of them, and their names; corrections in the order they were made."""
    made = [one.becomes for one in corrections if one.becomes is not None]
    last = {one.identity: one.name for one in corrections if one.kind == "rename"}
    names = {identity: name for identity, name in last.items() if name}
    return People(tuple(dict.fromkeys([*ids, *made])), names, tuple(tasks), tuple(corrections))
