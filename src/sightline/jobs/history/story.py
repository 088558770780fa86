"""What the history says, with everybody as people put it right."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from sqlalchemy import Engine

from sightline.analysis.corrected import Found, People, people
from sightline.analysis.paths import Paths
from sightline.errors import OptionError, UnknownError
from sightline.jobs.sites import messages
from sightline.model.history import Correction, WatchedTask
from sightline.stores.sql.corrections import Corrections
from sightline.stores.sql.history import Columns, History

MOST_ROWS = 8_000_000
"""More places are not held in memory at once: those of twenty people for two weeks of working days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which part of the history."""

    site: str | None = None
    """Of a site: the newest task of each of its recordings."""
    task_id: str | None = None
    """One task."""
    from_utc_s: float | None = None
    """Since when; of recordings whose beginning is not known, since when they were watched."""
    to_utc_s: float | None = None
    """Until when."""
    from_s: float | None = None
    """Since when, on the clock of the task's site."""
    to_s: float | None = None
    """Until when."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Boxes and places, one row each, task by task, oldest first."""

    task: Int[np.ndarray, " n"]
    """Index into the story's tasks."""
    person: Int[np.ndarray, " n"]
    """Index into the story's people; -1: nobody's."""
    columns: Columns
    """Columns of the store's ``sightings``."""

    def __len__(self) -> int:
        return len(self.task)


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """Some tasks of one site, and everybody in them."""

    tasks: tuple[WatchedTask, ...]
    """Oldest first."""
    people: People
    """Everybody."""
    spans_s: tuple[tuple[float, float], ...]
    """By task, since when and until when on its clock is asked for."""

    @property
    def zero_utc_s(self) -> Float[np.ndarray, " k"]:
        """By task, when its clock was 0."""
        return np.array([task.zero_utc_s for task in self.tasks])

    def shown(self, person: int) -> dict[str, str | None]:
        """Who that is, for machines and people."""
        identity = self.people.ids[person]
        return {"person_id": identity, "name": self.people.names.get(identity)}


@final
class Chronicle:
    """Reads stories."""

    def __init__(self, engine: Engine) -> None:
        self.history, self.corrections = History(engine), Corrections(engine)

    def story(self, span: Span) -> Story:
        """The tasks that a span is about.

        Raises:
            OptionError: it names neither a task nor a site, or ends before it begins.
            UnknownError: there is no such task, or it is not settled yet who is who in it.
        """
        tasks = self._tasks(span)
        spans = tuple(_within(task, span) for task in tasks)
        kept = [k for k, (low, high) in enumerate(spans) if low < high]
        tasks, spans = [tasks[k] for k in kept], tuple(spans[k] for k in kept)
        site = tasks[0].site if tasks else span.site
        held = self.corrections.of(site) if site else []
        numbers = [task.task_id for task in tasks]
        found = self.history.identities(numbers)
        return Story(tuple(tasks), people(found["id"].tolist(), numbers, held), spans)

    def paths(self, story: Story) -> Paths:
        """Where everybody went, in seconds since 1970.

        Raises:
            OptionError: those are too many places at once.
        """
        parts = [_NOWHERE]
        for k, task in enumerate(story.tasks):
            numbers = self._numbers(story, k)
            for columns in self.history.places_in_turn(task.task_id, *story.spans_s[k]):
                person = _who(story, k, columns, numbers)
                known = person >= 0
                xy_m = np.column_stack([columns["x_m"][known], columns["y_m"][known]])
                parts.append((person[known], columns["t_s"][known] + task.zero_utc_s, xy_m))
                _bearable(sum(len(part[0]) for part in parts))
        person, t_s, xy_m = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Paths.of(person, t_s, xy_m)

    def seen(self, story: Story, k: int) -> Iterator[Seen]:
        """Every box of task ``k`` of a story, oldest first, some at a time."""
        numbers = self._numbers(story, k)
        for columns in self.history.sightings_in_turn(story.tasks[k].task_id, *story.spans_s[k]):
            yield Seen(np.full(len(columns["t_s"]), k), _who(story, k, columns, numbers), columns)

    def boxes(self, story: Story, k: int, from_s: float, to_s: float) -> Seen:
        """Who was in which box in task ``k`` of a story within a short time on its clock; not where on the ground."""
        columns = self.history.boxes(story.tasks[k], from_s, to_s)
        return Seen(np.full(len(columns["t_s"]), k), _who(story, k, columns, self._numbers(story, k)), columns)

    def spells(self, story: Story, k: int) -> Columns:
        """By person (-1: nobody) and camera, sightings of task ``k``: ``n``, ``first_s``, ``last_s``."""
        task_id = story.tasks[k].task_id
        columns = self.history.spells(task_id, *story.spans_s[k], story.people.cuts_s(task_id))
        return columns | {"person": _who(story, k, columns | {"t_s": columns["first_s"]}, self._numbers(story, k))}

    def live_ids(self, story: Story, k: int) -> list[tuple[str, int, int]]:
        """Ids in the live messages of task ``k``, whose they are, and in how many sightings.

        Of somebody who was split, whom they were at first.
        """
        task_id = story.tasks[k].task_id
        found = self.history.online(task_id)
        columns = {"identity": found["number"], "t_s": np.full(len(found["number"]), -np.inf)}
        who = _who(story, k, columns, self._numbers(story, k)).tolist()
        total = Counter[tuple[int, int]]()
        for online, person, n in zip(found["online"].tolist(), who, found["n_sightings"].tolist(), strict=True):
            total[online, person] += n  # two whom somebody merged are one
        return [(str(messages.identity(task_id, one)), person, n) for (one, person), n in total.items() if person >= 0]

    def _numbers(self, story: Story, k: int) -> Int[np.ndarray, " i"]:
        """By number of an identity in task ``k``, who of the story's people was found; -1: nobody, also at the end."""
        found = self.history.identities([story.tasks[k].task_id])
        place = {identity: number for number, identity in enumerate(story.people.ids)}
        person = np.full(int(found["number"].max(initial=0)) + 2, -1)
        person[found["number"]] = [place[identity] for identity in found["id"].tolist()]
        return person

    def _tasks(self, span: Span) -> list[WatchedTask]:
        if span.from_utc_s is not None and span.to_utc_s is not None and span.from_utc_s >= span.to_utc_s:
            raise OptionError("to: the time asked for ends before it begins")
        if span.task_id is not None:
            task = self.history.task(span.task_id)
            if not task.is_settled:
                raise UnknownError(f"task {span.task_id}: it is not settled yet who is who; wait until it has ended")
            return [task]
        if span.site is None:
            raise OptionError("say which task_id or environment_id")
        newest = {task.footage: task for task in self.history.tasks(span.site)}
        return sorted(newest.values(), key=lambda task: task.zero_utc_s)


def _who(story: Story, k: int, columns: Columns, numbers: Int[np.ndarray, " i"]) -> Int[np.ndarray, " n"]:
    """By row of task ``k``, who it is by all corrections."""
    person = numbers[np.clip(columns["identity"], 0, len(numbers) - 1)]
    return story.people.of(Found(np.full(len(person), k), columns["t_s"], person))


_NOWHERE = np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 2))


def current(
    found: Columns, tasks: Sequence[WatchedTask], corrections: Sequence[Correction]
) -> Mapping[str, list[tuple[str, float, float]]]:
    """By id of everybody there is by all ``corrections``: in which tasks, since when and until when.

    ``found`` are the identities of the tasks as they were found.
    """
    numbers = [task.task_id for task in tasks]
    everybody = people(found["id"].tolist(), numbers, corrections)
    cuts = [(one.task_id, one.at_s) for one in corrections if one.kind == "split" and one.at_s is not None]
    place = {identity: number for number, identity in enumerate(everybody.ids)}
    rows = []
    for task_id, identity, first, last in zip(
        *(found[name].tolist() for name in ("task_id", "id", "first_s", "last_s")), strict=True
    ):
        inner = [at for task, at in cuts if task == task_id and first < at <= last]
        moments = [first, last, *inner, *(np.nextafter(at, -np.inf) for at in inner)]
        rows += [(numbers.index(task_id), at, place[identity]) for at in moments]
    if not rows:
        return {}
    task, t_s, person = (np.array(column) for column in zip(*rows, strict=True))
    who = everybody.of(Found(task.astype(np.int64), t_s.astype(np.float64), person.astype(np.int64)))
    there: dict[str, list[tuple[str, float, float]]] = {}
    for one, at in np.unique(np.column_stack([who, task]), axis=0).tolist():
        if one >= 0:
            times = t_s[(who == one) & (task == at)]
            there.setdefault(everybody.ids[one], []).append((numbers[at], float(times.min()), float(times.max())))
    return there


def _within(task: WatchedTask, span: Span) -> tuple[float, float]:
    """Since when and until when of a task, on its own clock."""
    low = max(
        -np.inf if span.from_s is None else span.from_s,
        -np.inf if span.from_utc_s is None else span.from_utc_s - task.zero_utc_s,
    )
    high = min(
        np.inf if span.to_s is None else span.to_s,
        np.inf if span.to_utc_s is None else span.to_utc_s - task.zero_utc_s,
    )
    is_beside = low > task.ends_s or high <= 0
    return (0.0, 0.0) if is_beside else (low, high)


def _bearable(n: int) -> None:
    if n > MOST_ROWS:
        raise OptionError(f"more than {MOST_ROWS:,} places are too many at once; ask for a shorter time")
