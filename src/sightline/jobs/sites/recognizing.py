"""Who is known already when a site is watched again: told to the identifier, and shown live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Int

from sightline.model.tracks import Tracks
from sightline.ports import Identifier


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom an earlier task knows."""

    id: str
    """What they are called for good."""
    name: str | None = None
    """What people call them; None: nobody said."""
    is_lasting: bool = False
    """Whether they have this id in this task, too, since somebody put them right."""


@runtime_checkable
class Memory(Protocol):
    """Knows people of an earlier task. Asked moment by moment, oldest first."""

    def people(self, camera: str, t_s: float, tracks: Tracks) -> Sequence[Person | None]:
        """By track of a camera at a moment, who it is; None: it is not known."""
        ...


@runtime_checkable
class Believing(Protocol):
    """An identifier that can be told who somebody is. Plug-ins may be so; none has to."""

    def believe(self, people: Mapping[tuple[int, int], str]) -> None:
        """From now on, the tracks in ``people``, by camera's index and number, are those people, and no others are."""
        ...

    def people(self) -> Mapping[int, str]:
        """By number of identities, whose they are of those who were believed."""
        ...


@final
class Recognizing:
    """Has an identifier believe what is remembered; nobody is known where it cannot, or there is no memory."""

    def __init__(self, identifier: Identifier | None, memory: Memory | None) -> None:
        self._believing: Believing | None = (
            identifier if memory is not None and isinstance(identifier, Believing) else None
        )
        self._memory = memory
        self._known: dict[str, Person] = {}

    def tell(self, t_s: float, cameras: Sequence[str], seen: Mapping[str, Tracks], first_track: int) -> None:
        """Tells who is in the pictures of a moment; ``first_track`` is added to the numbers of tracks."""
        if self._believing is None or self._memory is None:
            return
        people: dict[tuple[int, int], str] = {}
        for camera, tracks in seen.items():
            for number, person in zip(tracks.number.tolist(), self._memory.people(camera, t_s, tracks), strict=True):
                if person is not None:
                    people[cameras.index(camera), first_track + number] = person.id
                    self._known[person.id] = person
        self._believing.believe(people)

    def known(self, number: Int[np.ndarray, " n"]) -> list[Person | None]:
        """By number of an identity, who that is among those whom somebody put right; None: nobody known."""
        if self._believing is None:
            return [None] * len(number)
        of = {one: self._known.get(person) for one, person in self._believing.people().items()}
        lasting = {one: person for one, person in of.items() if person is not None and person.is_lasting}
        return [lasting.get(one) for one in number.tolist()]
