"""Who is known already when a site is watched again: told to the identifier, and shown live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

from sightline.model.tracks import Tracks
from sightline.ports import Identifier


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom people put right, in an earlier task or while this one runs."""

    id: str
    """What they are called for good."""
    name: str | None = None
    """What people call them; None: nobody said."""


@runtime_checkable
class Memory(Protocol):
    """Knows people of an earlier task. Asked moment by moment, oldest first."""

    def people(self, camera: str, t_s: float, tracks: Tracks) -> Sequence[str | None]:
        """By track of a camera at a moment, the id of who it is; None: it is not known."""
        ...

    def person(self, identity: str) -> Person | None:
        """Who that is among those whom somebody put right; None: somebody else."""
        ...

    def said(self) -> Mapping[int, Person]:
        """By number of identities of this task, who that is by what people said while it runs."""
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
    """Has an identifier believe what is remembered, where it can, and tells who is known."""

    def __init__(self, identifier: Identifier | None, memory: Memory | None) -> None:
        self._believing: Believing | None = identifier if isinstance(identifier, Believing) else None
        self._memory = memory

    def tell(self, t_s: float, cameras: Sequence[str], seen: Mapping[str, Tracks], first_track: int) -> None:
        """Tells who is in the pictures of a moment; ``first_track`` is added to the numbers of tracks."""
        if self._memory is None:
            return
        people: dict[tuple[int, int], str] = {}
        for camera, tracks in seen.items():
            for number, person in zip(tracks.number.tolist(), self._memory.people(camera, t_s, tracks), strict=True):
                if person is not None:
                    people[cameras.index(camera), first_track + number] = person
        if self._believing is not None:
            self._believing.believe(people)

    def known(self) -> dict[int, Person]:
        """By number of an identity, who that is among those whom somebody put right."""
        if self._memory is None:
            return {}
        believed = self._believing.people() if self._believing is not None else {}
        known = {number: self._memory.person(person) for number, person in believed.items()}
        return {number: person for number, person in known.items() if person is not None} | dict(self._memory.said())
