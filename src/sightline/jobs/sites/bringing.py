"""The videos of one part of a site's recordings: brought here where they are elsewhere, and opened."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sightline.errors import SightlineError, SourceError
from sightline.executors.local import Stopped, Tell
from sightline.fetching import Policy, download, relayed
from sightline.jobs.footage import is_live
from sightline.model.site import Site
from sightline.ports import Source
from sightline.sources.stream import Stream
from sightline.sources.video import Video

Missing = dict[str, str]
"""By camera, why its video cannot be had."""


def brought(
    site: Site, number: int, folder: Path, policy: Policy, tell: Tell, stopped: Stopped
) -> tuple[dict[str, str], Missing]:
    """By camera, path or stream of its video ``number``, counted from 1; and why some cannot be had.

    Paths are those of the site's file, which only who runs the installation can write; addresses are checked.

    Raises:
        SourceError: there are some, and none of them can be had.
    """
    videos: dict[str, str] = {}
    missing: Missing = {}
    for watch in site.watches:
        if number > len(watch.videos) or stopped():
            continue
        address = watch.videos[number - 1]
        try:
            if "://" not in address or is_live(address):
                videos[watch.id] = address
            elif (path := download(address, folder / watch.id, policy, lambda *_: None, stopped)) is not None:
                videos[watch.id] = str(path)
        except (SightlineError, OSError) as error:
            missing[watch.id] = str(error)
        tell(f"Downloading sub-videos batch {number}", len(videos) + len(missing), len(site.watches))
    if missing and not videos:
        raise SourceError(f"no camera has sub-video {number}: {next(iter(missing.values()))}")
    return videos, missing


@contextmanager
def opened(
    videos: Mapping[str, str], missing: Mapping[str, str], fps: float, policy: Policy
) -> Iterator[tuple[dict[str, Source], Missing]]:
    """By camera, its pictures; and why some cannot be read, after those that are ``missing`` already.

    Raises:
        SourceError: none can be read.
    """
    sources: dict[str, Source] = {}
    without = dict(missing)
    with ExitStack() as closing:
        for camera, address in videos.items():
            try:
                if is_live(address):
                    url = closing.enter_context(relayed(policy.check(address)))
                    sources[camera] = Stream(url, fps=fps, camera=camera)
                else:
                    source = Video(Path(address), fps=fps, camera=camera)
                    source.about()
                    sources[camera] = source
            except SightlineError as error:
                without[camera] = str(error)
        if not sources:
            raise SourceError(f"no video can be read: {next(iter(without.values()), 'there is none')}")
        yield sources, without


def since(videos: Mapping[str, str], fps: float, start_s: Mapping[str, float]) -> dict[str, Source]:
    """By camera, the pictures of its file from so many of its own seconds on. Streams have no earlier or later."""
    return {
        camera: Video(Path(address), fps=fps, camera=camera, start_s=start_s[camera])
        for camera, address in videos.items()
        if not is_live(address)
    }
