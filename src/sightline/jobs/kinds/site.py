"""Watching a site, as a job: recordings of several cameras to who was where, one sub-video after the other.

A sub-video that is done is not watched again: work that is taken up after a crash begins with the next one, knowing
everybody who was seen before.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sightline import wiring
from sightline.executors.local import Stopped, Tell
from sightline.jobs.footage import policy_of
from sightline.jobs.kept import keep
from sightline.jobs.kinds.kind import Kind, Params, Step, Task
from sightline.jobs.kinds.track import is_harmless
from sightline.jobs.sites import messages
from sightline.jobs.sites.messages import Standing
from sightline.jobs.sites.playing import Done, Playing
from sightline.jobs.sites.shelf import Sites
from sightline.live.publisher import Publisher, publisher
from sightline.live.relay import relay_path
from sightline.model.site import Site
from sightline.stores.sql.database import database_at
from sightline.stores.sql.playbacks import Playbacks

_FETCH, _WATCH, _NOTE = "fetch-", "watch-", "note-"
_SEEN = "seen.parquet"
_SAY_S = 0.25
"""How often it is said how far a task is."""


class SiteParams(Params):
    """Which site to watch, and how."""

    site: Annotated[str, Field(min_length=1, max_length=64)]
    """Id of a site that the installation knows."""
    parts: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How many videos each camera of it has, one after the other."""
    fps: Annotated[float, Field(gt=0, le=120)] = 23.0
    """Moments per second at which all cameras are looked at."""
    detector: str = "people_hog"
    """Name of a detector."""
    tracker: str = "botsort"
    """Name of a tracker."""
    identifier: str | None = "gallery"
    """Name of an identifier that decides at once; null: identities are known when all is seen."""
    embedder: str | None = "colour"
    """Name of what tells looks; null: only places tell who is who."""
    options: Annotated[dict[str, dict[str, Any]], Field(default_factory=dict)]
    """By kind of engine (detector, tracker, embedder, identifier), its options."""
    images: bool = False
    """Whether live messages hold the pictures, as ``frame_image_base64``."""
    privacy: Literal["none", "faces", "bodies"] = "none"
    """What is covered of everybody in pictures that are sent: nothing, heads, or all of them.

    It is at least what the installation wants.
    """
    speed: Annotated[float | None, Field(gt=0, le=100)] = None
    """How much faster than real time; null: as fast as can be."""

    @model_validator(mode="after")
    def _known(self) -> "SiteParams":
        """All engines are there, and no option names a file."""
        for kind in ("detector", "tracker", "embedder", "identifier"):
            name = getattr(self, kind)
            if name is not None and name not in wiring.names(kind):
                raise ValueError(f"no {kind} {name!r}; there are {', '.join(wiring.names(kind))}")
        for kind, options in self.options.items():
            if kind not in {"detector", "tracker", "embedder", "identifier"}:
                raise ValueError(f"options.{kind}: no such kind of engine")
            for option, value in options.items():
                if not is_harmless(value):
                    raise ValueError(f"options.{kind}.{option}: paths are not taken; give the name of shelved weights")
        return self


def steps(params: Mapping[str, Any]) -> tuple[Step, ...]:
    """Three for every sub-video, then who is who altogether.

    What was seen is noted in a step of its own: a database that is away does not have it watched again.
    """
    n = int(params.get("parts", 1))
    every = []
    for number in range(1, n + 1):
        shown = f"Downloading sub-videos batch {number}/{n}"
        every += [
            Step(name=f"{_FETCH}{number}", shown=shown, share=0.05, work=partial(fetch, number=number)),
            Step(
                name=f"{_WATCH}{number}",
                shown=f"Processing sub-video {number}",
                share=1.0,
                work=partial(watch, number=number),
            ),
            Step(
                name=f"{_NOTE}{number}",
                shown=f"Writing down sub-video {number}",
                share=0.01,
                work=partial(note, number=number),
            ),
        ]
    every.append(Step(name="settle", shown="Settling who is who", share=0.1 * n, work=settle))
    every.append(Step(name="keep", shown="Keeping files", share=0.02 * n, work=keep))
    return tuple(every)


def fetch(task: Task, tell: Tell, stopped: Stopped, *, number: int) -> dict[str, Any]:
    """Brings sub-video ``number`` of every camera here; what cannot be had is left out and named.

    Paths are those of the site's file, which only who runs the installation can write.

    Raises:
        SourceError: there are some, and none of them can be had.
    """
    from sightline.jobs.sites.bringing import brought  # noqa: PLC0415  (codecs take their time)

    policy = policy_of(task.settings)
    videos, missing = brought(_site(task), number, task.folder, policy, tell, stopped)
    return {"videos": videos, "missing": missing}


def watch(task: Task, tell: Tell, stopped: Stopped, *, number: int) -> dict[str, Any]:
    """Watches sub-video ``number`` of all cameras.

    Raises:
        SightlineError: no source can be read, or an engine or option is wrong.
        OSError: what was seen cannot be written.
    """
    from sightline.formats.privacy import stricter  # noqa: PLC0415
    from sightline.jobs.history.reminding import reminded  # noqa: PLC0415
    from sightline.jobs.sites.bringing import opened, since  # noqa: PLC0415  (engines and codecs take their time)
    from sightline.jobs.sites.showing import Show  # noqa: PLC0415
    from sightline.jobs.sites.telling import Telling  # noqa: PLC0415
    from sightline.jobs.sites.watching import Lookout, Part, Watching  # noqa: PLC0415

    asked, site = SiteParams.model_validate(task.params), _site(task)
    how = Watching(
        task_id=task.job_id,
        fps=asked.fps,
        detector=asked.detector,
        tracker=asked.tracker,
        identifier=asked.identifier,
        embedder=asked.embedder,
        options=asked.options,
    )
    videos = [task.earlier[f"{_FETCH}{i}"]["videos"] for i in range(1, number + 1)]
    before = [task.earlier[f"{_WATCH}{i}"]["moments"] for i in range(1, number)]
    policy, first = policy_of(task.settings), sum(before)
    with ExitStack() as stack:
        missing = task.earlier[f"{_FETCH}{number}"]["missing"]
        sources, missing = stack.enter_context(opened(videos[-1], missing, asked.fps, policy))
        part = Part(
            number=number,
            sources=sources,
            first=first,
            earlier=[task.folder.with_name(f"{_WATCH}{i}") / _SEEN for i in range(1, number)],
            firsts=[sum(before[:i]) for i in range(number - 1)],
            memory=stack.enter_context(reminded(task, site)),
            since=lambda which, start_s: since(videos[which - 1], asked.fps, start_s),
        )
        privacy = stricter(task.settings.privacy, asked.privacy)
        most = messages.waiting(has_images=asked.images)
        said = stack.enter_context(_saying(task, messages.channel(task.job_id), most))
        shown = stack.enter_context(_saying(task, messages.pictures(task.job_id)))
        telling = Telling(site.id, say=said.say, show=shown.say, images=asked.images, privacy=privacy)
        playing = stack.enter_context(_played(task, asked, first, stopped))
        teller = _Teller(said, task, site, number, first, missing)

        def told(done: Done) -> None:
            step = f"Processing sub-video {number}, frame batch {done.moments} (Global Index: {done.index})"
            tell(step, done.moments, done.total)
            teller.tell(step, done)

        lookout = Lookout(site, how, part)
        rest = None if lookout.total is None else lookout.total * (asked.parts - number + 1)
        show = Show(site, part, lookout, playing, telling, told, stopped)
        moments = show.run(task.folder / _SEEN, None if rest is None else first + rest)
        sizes = {name: [view.width, view.height] for name, view in lookout.views.items()}
    return {"moments": moments, "missing": missing, "sizes": sizes}


def note(task: Task, tell: Tell, stopped: Stopped, *, number: int) -> dict[str, Any]:
    """Writes down what was seen in sub-video ``number``, when there is a database to write it to."""
    from sightline.jobs.history.noting import part_done  # noqa: PLC0415  (engines take their time)
    from sightline.jobs.history.waiting import written  # noqa: PLC0415

    seen = task.folder.with_name(f"{_WATCH}{number}") / _SEEN
    written(partial(part_done, task, _site(task), number, seen), tell, stopped)
    return {}


def settle(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """Finds out who is who with all that was seen, and writes it down.

    Raises:
        OSError: a file cannot be written.
    """
    from sightline.jobs.history.noting import all_done  # noqa: PLC0415
    from sightline.jobs.history.waiting import written  # noqa: PLC0415
    from sightline.jobs.sites.settling import settled  # noqa: PLC0415  (engines take their time)

    asked, site = SiteParams.model_validate(task.params), _site(task)
    parts = [task.earlier[f"{_WATCH}{i}"] for i in range(1, asked.parts + 1)]
    seen = [task.folder.with_name(f"{_WATCH}{i}") / _SEEN for i in range(1, asked.parts + 1)]
    sizes = {name: (size[0], size[1]) for part in parts for name, size in part["sizes"].items()}
    tell("Settling who is who", 0, None)
    with _saying(task, messages.channel(task.job_id)) as said:
        summary, became = settled(site, seen, sizes, task.job_id, task.folder)
        said.say("", messages.identities_refined(became, task.job_id))
    length_s = sum(part["moments"] for part in parts) / asked.fps
    written(partial(all_done, task, site, seen, length_s), tell, stopped)
    missing = {name: why for part in parts for name, why in part["missing"].items()}
    files = sorted(path.name for path in task.folder.iterdir())
    return {
        "summary": summary | {"moments": sum(part["moments"] for part in parts), "missing": missing},
        "files": files,
    }


class _Teller:
    """Tells clients how far the task is. That it has ended, the server tells, which knows when that is noted."""

    def __init__(
        self, said: Publisher, task: Task, site: Site, number: int, moments_before: int, missing: Mapping[str, str]
    ) -> None:
        self._said, self._site, self._number, self._before = said, site, number, moments_before
        self._parts = int(task.params["parts"])
        self._began = messages.moment(time.time())
        self._missing = missing
        self._next_s, self._is_paused = 0.0, False

    def tell(self, step: str, done: Done) -> None:
        """So many moments of this sub-video are done; said now and then, and whenever it begins to stand still."""
        now_s = time.monotonic()
        if now_s < self._next_s and not done.is_paused and not self._is_paused:
            return
        self._next_s, self._is_paused = now_s + _SAY_S, done.is_paused
        within = min(done.moments / done.total, 1.0) if done.total else 0.0
        estimate = self._before + (done.total or done.moments) * (self._parts - self._number + 1)
        progress = (self._number - 1 + within) / self._parts
        standing = Standing(
            status="PROCESSING",
            progress=round(progress, 4),
            current_step=step,
            details="; ".join(f"{name}: {why}" for name, why in self._missing.items()) or None,
            start_time=self._began,
            last_update_time=messages.moment(time.time()),
            environment_id=self._site.id,
            total_sub_video_batches=self._parts,
            completed_sub_video_batches=self._number - 1,
            total_frames_estimate=estimate,
            processed_frames_count=self._before + done.moments,
            playback="paused" if done.is_paused else "playing",
        )
        self._said.say(messages.STATUS, messages.status_update(standing))


@contextmanager
def _played(task: Task, asked: SiteParams, first: int, stopped: Stopped) -> Iterator[Playing]:
    """How the task is played, by what clients ask for."""
    engine = database_at(task.settings.database_url())
    try:
        yield Playing(
            stopped,
            fps=asked.fps,
            speed=asked.speed,
            playbacks=Playbacks(engine),
            job_id=task.job_id,
            edge=first,
        )
    finally:
        engine.dispose()


def _saying(task: Task, channel: str, most: int = 256) -> AbstractContextManager[Publisher]:
    """Where live messages of the task go."""
    settings = task.settings
    return publisher(channel, redis_url=settings.redis_url(), relay=relay_path(settings.data_folder), most=most)


def _site(task: Task) -> Site:
    return Sites(task.settings.sites()).get(str(task.params["site"]))


SITE = Kind(
    name="site",
    about="Watches the recordings of all cameras of a site: who was where on its map, and who is who across cameras.",
    queue="heavy",
    params=SiteParams,
    steps=steps,
)
