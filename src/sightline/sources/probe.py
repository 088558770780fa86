"""What a video file is, from its container, all its packets and its first picture."""

from array import array
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np

from sightline.errors import SourceError
from sightline.sources.container import clock_of, length_s, n_missing, native_fps
from sightline.sources.grid import sampling
from sightline.sources.opening import Opened, open_file
from sightline.sources.planes import Turn
from sightline.sources.reading import Picture, Tally, all_decoded, packets

_VARIES = 0.2
"""Share of the middle step by which a step must differ to count as another; below that it is rounding."""


@dataclass(frozen=True, slots=True)
class Probed:
    """One video file; None where it does not say."""

    path: str
    """The file."""
    container: str
    """Its format, as FFmpeg names it."""
    codec: str
    """How pictures are compressed, as FFmpeg names it."""
    profile: str | None
    """Which subset of the codec."""
    width: int
    """Pixels across, upright."""
    height: int
    """Pixels down, upright."""
    rotation_deg: int
    """How far the stored pictures are turned clockwise to stand upright."""
    is_mirrored: bool
    """Whether they are flipped too."""
    pixel_aspect: str
    """Width to height of a pixel."""
    pixel_format: str
    """Colours and depth, as FFmpeg names them."""
    fps: float | None
    """Mean pictures per second, by the timestamps."""
    header_fps: float | None
    """The same, as the header has it."""
    is_variable: bool
    """Whether steps between pictures differ by more than rounding."""
    duration_s: float | None
    """Length of the video."""
    n_frames: int
    """Pictures to be shown, decodable or not."""
    bit_rate: int | None
    """Bits per second of the pictures alone."""
    has_b_frames: bool
    """Whether pictures are stored in another order than shown."""
    keyframe_distance: int | None
    """Most pictures from one keyframe to the next."""
    audio: list[str]
    """Codec of each sound stream."""
    created: str | None
    """When, as the container has it."""
    warnings: list[str]
    """What is odd about it, one line each."""


def probe(path: Path) -> Probed:
    """Reads the whole file, but decodes only until the first picture.

    Raises:
        SourceError: it is missing or no video, or no picture in it can be decoded.
    """
    with closing(open_file(path)) as opened:
        audio = [s.codec_context.name if s.codec_context else "unknown" for s in opened.container.streams.audio]
        first = _first(opened)
    if first is None:
        raise SourceError(f"{path}: no picture in it can be decoded")
    with closing(open_file(path)) as opened:
        seen = _Seen.of(opened)
        turn, codec = Turn.of(first.frame), opened.codec
        width, height = turn.size(first.frame.width, first.frame.height)
        aspect = opened.codec.sample_aspect_ratio
        aspect_text = f"{aspect.numerator}:{aspect.denominator}" if aspect else "1:1"
        return Probed(
            path=str(path),
            container=opened.container.format.name,
            codec=codec.name,
            profile=opened.stream.profile,
            width=width,
            height=height,
            rotation_deg=turn.clockwise_deg,
            is_mirrored=turn.is_mirrored,
            pixel_aspect=aspect_text,
            pixel_format=first.frame.format.name,
            fps=seen.fps,
            header_fps=native_fps(opened),
            is_variable=seen.is_variable,
            duration_s=length_s(opened),
            n_frames=seen.n_frames,
            bit_rate=seen.bit_rate,
            has_b_frames=seen.is_reordered,
            keyframe_distance=seen.keyframe_distance,
            audio=audio,
            created=_created(opened),
            warnings=seen.warnings(opened),
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the packets told."""

    n_frames: int
    n_timeless: int
    n_repeated: int
    n_corrupt: int
    n_hidden: int
    starts_with_keyframe: bool
    is_reordered: bool
    fps: float | None
    is_variable: bool
    bit_rate: int | None
    keyframe_distance: int | None
    end: Fraction

    @classmethod
    def of(cls, opened: Opened) -> "_Seen":
        """Of all packets."""
        stamps, keys, n_bytes, n_frames, n_timeless, n_corrupt, n_hidden = array("q"), array("q"), 0, 0, 0, 0, 0
        for packet in packets(opened, Tally()):
            if packet.is_discard:
                n_hidden += 1
                continue
            if packet.pts is None:
                n_timeless += 1
            else:
                stamps.append(packet.pts)
            if packet.is_keyframe:
                keys.append(n_frames)
            n_frames += 1
            n_bytes += packet.size
            n_corrupt += packet.is_corrupt
        stored = np.asarray(stamps, np.int64)
        shown = np.unique(stored)
        tick = float(opened.stream.time_base or 0)
        steps = np.diff(shown) * tick
        middle = float(np.median(steps)) if len(steps) else 0.0
        length = float(steps.sum()) + middle
        rounding = max(_VARIES * middle, 1.5 * min(tick, 1e-3))
        gaps = np.diff(np.append(np.asarray(keys, np.int64), n_frames))
        return cls(
            n_frames=n_frames,
            n_timeless=n_timeless,
            n_repeated=len(stored) - len(shown),
            n_corrupt=n_corrupt,
            n_hidden=n_hidden,
            starts_with_keyframe=bool(n_hidden) or (bool(keys) and keys[0] == 0),
            is_reordered=bool((np.diff(stored) < 0).any()) and len(stored) == len(shown),
            fps=len(steps) / float(steps.sum()) if len(steps) else None,
            is_variable=bool((np.abs(steps - middle) > rounding).any()),
            bit_rate=round(n_bytes * 8 / length) if length else None,
            keyframe_distance=int(gaps.max()) if len(gaps) else None,
            end=Fraction(length),
        )

    def warnings(self, opened: Opened) -> list[str]:
        """What is odd."""
        said = native_fps(opened)
        n_gone = n_missing(opened, self.n_frames + self.n_hidden, self.end)
        found = {
            f"{self.n_timeless} pictures have no timestamp": self.n_timeless,
            f"{self.n_repeated} pictures repeat a timestamp": self.n_repeated,
            f"{self.n_corrupt} packets are damaged": self.n_corrupt,
            f"{self.n_hidden} pictures are cut away by an edit list": self.n_hidden,
            f"{n_gone} announced pictures are missing; the file may be cut off": n_gone,
            "it does not begin with a keyframe; the first pictures cannot be decoded": not self.starts_with_keyframe,
            f"the header says {said or 0:g} pictures per second, the timestamps {self.fps or 0:g}": said
            and self.fps
            and not self.is_variable
            and abs(said - self.fps) > 0.02 * said,
        }
        return [warning for warning, is_so in found.items() if is_so]


def _first(opened: Opened) -> Picture | None:
    """The first picture that can be decoded."""
    opened.codec.thread_type = "SLICE"
    tally, span = Tally(), sampling("start", None)
    return next(all_decoded(packets(opened, tally), opened.codec, span, clock_of(opened, None), tally), None)


def _created(opened: Opened) -> str | None:
    """In ISO form where it can be read; containers write 1904 or 1970 when they do not know."""
    text = opened.container.metadata.get("creation_time") or opened.stream.metadata.get("creation_time")
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.isoformat() if when.year > 1970 else None
