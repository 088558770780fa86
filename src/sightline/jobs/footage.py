"""Where the source of a job really is: a kept file, a file that was fetched, or a stream that may be watched."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.errors import SightlineError, SourceError
from sightline.executors.local import Stopped, Tell
from sightline.fetching import Policy, check_media, download, relayed
from sightline.fetching.content import HEAD
from sightline.jobs.kinds.kind import Task
from sightline.settings import Settings
from sightline.sources.stream import without_secrets
from sightline.stores.artifacts import artifacts_at

LIVE = ("rtsp", "rtsps")


@dataclass(frozen=True, slots=True)
class Place:
    """What to read."""

    shown: str
    """How to name it; without secrets, and without paths of this machine where they are none of anybody's."""
    path: Path | None = None
    """The file, for files."""
    url: str | None = None
    """The address, for streams; with its secrets, and with a host that was checked."""


def policy_of(settings: Settings) -> Policy:
    """Which addresses the installation lets clients have opened."""
    fetching = settings.fetching
    return Policy(
        schemes=frozenset(fetching.schemes),
        private_networks=fetching.private_networks,
        media_folders=fetching.media_folders,
        hosts=fetching.hosts,
        buckets=fetching.buckets,
        max_bytes=int(fetching.max_bytes),
        timeout_s=fetching.timeout_s,
        max_redirects=fetching.max_redirects,
    )


def is_live(source: str) -> bool:
    """Whether it is a stream rather than a file."""
    return source.partition("://")[0].lower() in LIVE


def fetch(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """A step that brings the source here, where it has to be brought; how ``opened`` of later steps finds it.

    Raises:
        SightlineError: it is not allowed, not there, or no video.
    """
    source = str(task.params["source"])
    if task.source_key is not None or is_live(source):
        return {}
    path = download(source, task.folder, policy_of(task.settings), tell, stopped)
    return {} if path is None else {"path": str(path)}


@contextmanager
def opened(task: Task, tell: Tell, stopped: Stopped) -> Iterator[Place]:
    """What to read, while inside; fetched now if no step before did.

    Raises:
        SightlineError: it is not allowed, not there, or no video; errors raised inside tell no path of this machine.
    """
    with _found(task, tell, stopped) as place:
        inside = without_secrets(place.url) if place.url else str(place.path)
        try:
            yield place
        except SightlineError as error:
            if inside not in str(error):
                raise
            raise type(error)(str(error).replace(inside, place.shown)) from None


@contextmanager
def _found(task: Task, tell: Tell, stopped: Stopped) -> Iterator[Place]:
    source = str(task.params["source"])
    if task.source_key is not None:
        with artifacts_at(task.settings.artifacts_url()).path(task.source_key) as path:
            with path.open("rb") as file:
                check_media(file.read(HEAD), task.source_name)
            yield Place(task.source_name, path)
        return
    address = policy_of(task.settings).check(source)  # again: what is allowed may have changed since
    if is_live(source):
        with relayed(address) as url:
            yield Place(address.shown, url=url)
        return
    fetched = task.earlier.get("fetch") or fetch(task, tell, stopped)
    if "path" not in fetched:
        raise SourceError(f"{address.shown}: not fetched")
    yield Place(address.shown, Path(fetched["path"]))
