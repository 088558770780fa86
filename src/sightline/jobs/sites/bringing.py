"""The videos of one part of a site's recordings: brought here where they are elsewhere, and opened."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import final

from sightline.errors import SightlineError, SourceError
from sightline.executors.local import Stopped, Tell
from sightline.fetching import Policy, download, relayed
from sightline.jobs.footage import is_live
from sightline.model.frame import Footage, Frame
from sightline.model.site import Site
from sightline.ports import Source
from sightline.sources.stream import Stream, without_secrets
from sightline.sources.video import Video

Missing = dict[str, str]
"""By camera, why its video cannot be had."""


def brought(
    site: Site, number: int, folder: Path, policy: Policy, tell: Tell, stopped: Stopped
) -> tuple[dict[str, str], Missing]:
    """By camera, path or stream of its video ``number``, counted from 1; and why some cannot be had.

    Paths and buckets are those of the site's file, which only who runs the installation can write; other addresses are
    checked. Keys of S3 come from variables ``AWS_...``.

    Raises:
        SourceError: there are some, and none of them can be had.
    """
    policy = replace(policy, buckets=("*",))
    videos: dict[str, str] = {}
    missing: Missing = {}
    for watch in site.watches:
        if number > len(watch.videos) or stopped():
            continue
        address = watch.videos[number - 1]
        try:
            if "://" not in address or is_live(address):
                videos[watch.id] = address
            else:
                own = folder / watch.id
                own.mkdir(parents=True, exist_ok=True)
                if (path := download(address, own, policy, lambda *_: None, stopped)) is not None:
                    videos[watch.id] = str(path)
        except (SightlineError, OSError) as error:
            missing[watch.id] = _named(error, address)
        tell(f"Downloading sub-videos batch {number}", len(videos) + len(missing), len(site.watches))
    if missing and not videos:
        raise SourceError(f"no camera has sub-video {number}: {next(iter(missing.values()))}")
    return videos, missing


@contextmanager
def opened(
    videos: Mapping[str, str], missing: Mapping[str, str], fps: float, policy: Policy
) -> Iterator[tuple[dict[str, Source], Missing]]:
    """By camera, its pictures; and why some cannot be read, after those that are ``missing`` already.

    A camera that breaks off on the way ends there, and is among the missing from then on.

    Raises:
        SourceError: none can be read, or all break off before their first picture.
    """
    lasting: dict[str, Lasting] = {}
    without = dict(missing)
    with ExitStack() as closing:
        for camera, address in videos.items():
            try:
                lasting[camera] = closing.enter_context(_lasting(camera, address, fps, policy, without))
            except SightlineError as error:
                without[camera] = _named(error, address)
        begun_s = [one.begun_s for one in lasting.values() if one.begun_s is not None]
        for one in lasting.values():
            one.late_s = 0.0 if one.begun_s is None else one.begun_s - min(begun_s)
        if lasting:
            yield dict(lasting), without
        if not any(one.has_begun or camera not in without for camera, one in lasting.items()):
            raise SourceError(f"no video can be read: {next(iter(without.values()), 'there is none')}")


@contextmanager
def _lasting(camera: str, address: str, fps: float, policy: Policy, gone: Missing) -> Iterator["Lasting"]:
    """A camera's pictures; it answers by now.

    Raises:
        SightlineError: it does not.
    """
    if not is_live(address):
        video = Video(Path(address), fps=fps, camera=camera)
        video.about()
        yield Lasting(video, camera, address, gone)
        return
    checked = policy.check(address)
    with relayed(checked) as url:
        stream = Stream(url, fps=fps, camera=camera)
        try:
            stream.about()
        except SourceError as error:
            raise SourceError(str(error).replace(without_secrets(url), checked.shown)) from None
        yield Lasting(stream, camera, without_secrets(url), gone, shown=checked.shown, begun_s=time.monotonic())


def _named(error: Exception, address: str) -> str:
    """What went wrong, with the names of files rather than where they are."""
    return str(error).replace(address, Path(address).name) if "://" not in address else str(error)


@final
class Lasting:
    """A camera that ends where it breaks off, and says so, instead of ending the others as well."""

    def __init__(
        self,
        source: Source,
        camera: str,
        address: str,
        gone: Missing,
        *,
        shown: str | None = None,
        begun_s: float | None = None,
    ) -> None:
        """``gone`` is told why; ``address`` is called ``shown`` then. ``begun_s``: since when a stream comes."""
        self._source, self._camera, self._gone = source, camera, gone
        self._address, self._shown = address, shown or Path(address).name
        self.begun_s = begun_s
        self.late_s = 0.0
        """How much later than the first stream it began."""
        self.has_begun = False
        """Whether a picture came."""

    def about(self) -> Footage:
        """What it says of itself."""
        return self._source.about()

    def frames(self) -> Iterator[Frame]:
        """Its pictures as long as they come; streams on one clock."""
        try:
            for frame in self._source.frames():
                self.has_begun = True
                t_s = frame.moment.t_s + self.late_s
                yield Frame(replace(frame.moment, t_s=t_s), frame.rgb) if self.late_s else frame
        except SourceError as error:
            self._gone[self._camera] = str(error).replace(self._address, self._shown)

    def n_lost(self) -> int:
        """How many pictures had to be left out."""
        return self._source.n_lost()


def since(videos: Mapping[str, str], fps: float, start_s: Mapping[str, float]) -> dict[str, Source]:
    """By camera, the pictures of its file from so many of its own seconds on. Streams have no earlier or later."""
    return {
        camera: Video(Path(address), fps=fps, camera=camera, start_s=start_s[camera])
        for camera, address in videos.items()
        if not is_live(address)
    }
