"""Looking at media from outside: in a process of its own, with little memory and little time.

A file that is made to harm its reader harms that process, which holds nothing.
"""

import resource
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sightline.errors import EngineError, SourceError
from sightline.executors.apart import apart
from sightline.executors.local import Stopped, Tell
from sightline.sources import acceleration
from sightline.sources.container import length_s, native_fps
from sightline.sources.opening import open_file
from sightline.sources.stream import Stream
from sightline.sources.video import Video

_MEMORY_BYTES = 3 << 30
_CPU_S = 20
_TOO_MUCH = "too large or too damaged to be looked at"


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What a video says of itself; its first picture was decoded."""

    container: str
    """Its format, as FFmpeg names it, or ``rtsp``."""
    codec: str
    """How pictures are compressed, as FFmpeg names it."""
    width: int
    """Pixels across, upright."""
    height: int
    """Pixels down, upright."""
    fps: float | None
    """Pictures per second."""
    duration_s: float | None
    """Its length; None of a stream."""


def look(path: Path, shown: str, *, stopped: Stopped) -> MediaFacts:
    """What the video file at ``path`` is; messages call it ``shown``.

    Raises:
        SourceError: it is no video that can be decoded, or looking at it took too long or too much.
    """
    try:
        return MediaFacts(**apart(_file, str(path), tell=_silent, stopped=stopped))
    except SourceError as error:
        raise SourceError(str(error).replace(str(path), shown)) from None
    except EngineError as error:
        raise SourceError(f"{shown}: {_TOO_MUCH} ({str(error).replace(str(path), shown)})") from None


def look_at_stream(url: str, timeout_s: float, *, stopped: Stopped) -> MediaFacts:
    """What the stream at ``url`` is, an address that was checked and pinned.

    Raises:
        SourceError: nobody answers, what answers is no video, or looking at it took too long or too much.
    """
    try:
        return MediaFacts(**apart(_stream, (url, timeout_s), tell=_silent, stopped=stopped))
    except EngineError as error:
        raise SourceError(f"the stream: {_TOO_MUCH} ({error})") from None


def accelerations(*, stopped: Stopped) -> list[str]:
    """Names of the devices that decoded a picture just now; drivers may crash, so elsewhere.

    Raises:
        EngineError: a driver did.
    """
    return apart(_devices, None, tell=_silent, stopped=stopped)


def _devices(_nothing: None, _tell: Tell, _stopped: Stopped) -> list[str]:
    return acceleration.working()


def _file(path: str, _tell: Tell, _stopped: Stopped) -> dict[str, Any]:
    _confine()
    return file_facts(Path(path))


def file_facts(path: Path) -> dict[str, Any]:
    """What a file is, found in this process.

    Raises:
        SourceError: it is no video that can be decoded.
    """
    about = Video(path).about()
    with closing(open_file(path)) as opened:
        facts = MediaFacts(
            container=opened.container.format.name,
            codec=opened.codec.name,
            width=about.width,
            height=about.height,
            fps=native_fps(opened),
            duration_s=None if (length := length_s(opened)) is None else float(length),
        )
    return asdict(facts)


def _stream(asked: tuple[str, float], _tell: Tell, _stopped: Stopped) -> dict[str, Any]:
    _confine()
    return stream_facts(*asked)


def stream_facts(url: str, timeout_s: float) -> dict[str, Any]:
    """What a stream is, found in this process.

    Raises:
        SourceError: nobody answers, or what answers is no video.
    """
    stream = Stream(url, timeout_s=timeout_s)
    about = stream.about()
    facts = MediaFacts(
        container=url.partition(":")[0].lower().removesuffix("s"),
        codec=stream.codec(),
        width=about.width,
        height=about.height,
        fps=about.fps,
        duration_s=None,
    )
    return asdict(facts)


def _confine() -> None:
    """From here on, this process cannot take much."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _silent(_step: str, _done: int, _total: int | None) -> None:
    """Nobody waits for progress of a look."""
