"""Video files: anything FFmpeg reads."""

import logging
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import final

from av.video.frame import VideoFrame

from sightline.errors import SourceError
from sightline.model.frame import Footage, Frame, Moment
from sightline.model.planes import Planes
from sightline.sources.clock import Clock
from sightline.sources.container import clock_of, jumped, length_s, n_missing, native_fps
from sightline.sources.grid import GridName, Span, sampling
from sightline.sources.opening import Hardware, Opened, open_file
from sightline.sources.planes import Colours, Turn
from sightline.sources.reading import DamagedError, Picture, SparseDecoder, Tally, all_decoded, packets
from sightline.sources.sparse import OddStreamError, Schedule
from sightline.sources.units import Reader, unit_reader

_FAR_S = 3.0
"""A start nearer than this is not worth a jump."""
_log = logging.getLogger(__name__)


@final
class Video:
    """Pictures of a video file, upright, at the file's own times or sampled from them.

    Damage: pictures that the decoder refuses or marks as damaged are left out and counted by ``n_lost``, as are
    those that the container announces (by number, or by length where it has none) and the file does not hold.
    Pictures with faults that the decoder could hide do come. Pictures may change size on the way: each comes as
    it is. Where pixels are not square, the picture is as stored.
    """

    def __init__(  # noqa: PLR0913  (an engine's options are its constructor's)
        self,
        path: Path,
        *,
        camera: str | None = None,
        fps: float | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
        assume_fps: float | None = None,
        hardware: Hardware = "none",
        grid: GridName = "start",
        sparse: bool = True,
        parallel: bool = True,
        after_index: int = -1,
    ) -> None:
        """``path`` is read when asked for pictures, not before.

        ``camera``: name of the camera; unsaid, the file's stem.
        ``fps``: pictures per second to take, by their times: the first of each slot of ``1 / fps``, never one twice.
        ``start_s``, ``end_s``: the part to read, ``[start_s, end_s)``; times stay those of the whole file.
        ``assume_fps``: for files whose times are wrong: picture i was taken at ``i / assume_fps``.
        ``hardware``: what decodes; ``auto`` falls back to the processor, a named device must be there.
        ``grid``: where the sampling falls, see ``sightline.sources.grid.sampling``; ``keyframes`` decodes no others.
        ``sparse``: decode only what the taken pictures need; the same pictures come, bit for bit.
        ``after_index``: pictures up to this one are passed over, though the grid counts them; to go on where one was.
        ``parallel``: decode several pictures at once: sooner done, for about a tenth more processor time.

        Raises:
            SourceError: a rate or a range makes no sense.
        """
        self._path = Path(path)
        self._camera = camera or self._path.stem
        for name, rate in (("fps", fps), ("assume_fps", assume_fps)):
            if rate is not None and not 0 < rate <= 100_000:
                raise SourceError(f"{path}: {name} must be more than 0, not {rate}")
        if (start_s or 0) < 0 or (end_s is not None and not end_s > (start_s or 0)):
            raise SourceError(f"{path}: nothing lies from {start_s or 0} to {end_s} s; end_s must be after start_s")
        self._fps = fps
        self._start_s = start_s
        self._end_s = end_s
        self._assume_fps = assume_fps
        self._hardware = hardware
        self._grid = grid
        self._sparse = sparse
        self._parallel = parallel
        self._after_index = after_index
        self._tally = Tally()

    def about(self) -> Footage:
        """What it says of itself; decodes one picture to know which way is up.

        Raises:
            SourceError: it is missing or no video, or no picture in it can be decoded.
        """
        with closing(open_file(self._path, self._hardware)) as opened:
            # In parallel, one damaged picture would hide others; of one picture nothing is to be gained.
            opened.codec.thread_type = "SLICE"
            first = next(self._all(opened, sampling("start", None), clock_of(opened, None), Tally()), None)
            if first is None:
                raise SourceError(f"{self._path}: no picture in it can be decoded")
            width, height = Turn.of(first.frame).size(first.frame.width, first.frame.height)
            native = self._assume_fps or native_fps(opened)
            end = length_s(opened)
            if self._assume_fps is not None:
                end = opened.stream.frames / self._assume_fps if opened.stream.frames else None
        if end is not None and self._end_s is not None:
            end = min(end, self._end_s)
        duration = None if end is None else max(end - (self._start_s or 0), 0.0)
        fps = None if self._grid == "keyframes" else min(filter(None, (native, self._fps)), default=None)
        n_frames = None if duration is None or fps is None else round(duration * fps)
        return Footage(self._camera, width, height, fps, duration, n_frames)

    def frames(self) -> Iterator[Frame]:
        """Pictures in colour, oldest first.

        Raises:
            SourceError: it cannot be opened, or gives not a single picture.
        """
        colours = Colours()
        for moment, picture in self.pictures():
            yield Frame(moment, colours.rgb(picture))

    def planes(self) -> Generator[Planes, None, None]:
        """Pictures as luma and chroma, for encoding them again.

        Raises:
            SourceError: it cannot be opened, or gives not a single picture.
        """
        colours = Colours()
        for moment, picture in self.pictures():
            yield colours.planes(moment, picture)

    def pictures(self) -> Iterator[tuple[Moment, VideoFrame]]:
        """Pictures as the decoder gives them: not turned upright, in whatever colours they are stored.

        Raises:
            SourceError: it cannot be opened, or gives not a single picture.
        """
        last = self._after_index
        for picture in self._read():
            last = picture.index
            yield Moment(self._camera, last, float(picture.t)), picture.frame
        if last < 0:
            with closing(open_file(self._path)) as opened:
                raise SourceError(f"{self._path}: {self._why_nothing(length_s(opened))}")

    def n_lost(self) -> int:
        """How many pictures the last reading could not give: damaged, or announced and not there."""
        return self._tally.n_lost

    def _read(self) -> Iterator[Picture]:
        """In the fastest way; where that fails it goes on in a surer one, behind the last picture."""
        is_sparse = self._sparse and (self._fps is not None or bool(self._start_s) or self._grid == "keyframes")
        after, is_parallel, n_lost = self._after_index, self._parallel, 0
        while True:
            tally = self._tally = Tally(n_lost)
            try:
                for picture in self._attempt(tally, is_sparse=is_sparse, is_parallel=is_parallel, after=after):
                    if picture.index > after:
                        after = picture.index
                        yield picture
            except OddStreamError:
                _log.info("source=%s sparse=no why='odd timestamps'", self._path)
                is_sparse, n_lost = False, 0
            except DamagedError:
                _log.info("source=%s parallel=no why='damaged' after_index=%d", self._path, after)
                is_sparse, is_parallel, n_lost = self._sparse, False, tally.n_lost
            else:
                return

    def _attempt(self, tally: Tally, *, is_sparse: bool, is_parallel: bool, after: int) -> Iterator[Picture]:
        """One pass through the file; sparsely, those up to ``after`` do not come again."""
        with closing(open_file(self._path, self._hardware)) as opened:
            opened.codec.thread_type = "AUTO" if is_parallel else "SLICE"
            clock = clock_of(opened, self._assume_fps)
            span: Span = sampling(self._grid, self._fps, start_s=self._start_s, end_s=self._end_s, tick=clock.tick)
            reader = unit_reader(opened.codec, only_keyframes=self._grid == "keyframes") if is_sparse else None
            if reader is None:
                tally.n_lost = 0
                yield from self._all(opened, span, clock, tally)
            else:
                yield from self._sparsely(opened, reader, span, clock, tally, after)
            if tally.is_whole and self._grid != "keyframes":
                share = (self._fps or 0) / (native_fps(opened) or 1) or 1
                tally.n_lost += round(n_missing(opened, tally.n_packets, clock.end) * min(share, 1))

    def _all(self, opened: Opened, span: Span, clock: Clock, tally: Tally) -> Iterator[Picture]:
        """By decoding everything."""
        compressed, only_keyframes = packets(opened, tally), self._grid == "keyframes"
        return all_decoded(compressed, opened.codec, span, clock, tally, only_keyframes=only_keyframes)

    def _sparsely(
        self, opened: Opened, read: Reader, span: Span, clock: Clock, tally: Tally, after: int
    ) -> Iterator[Picture]:
        """By decoding what is needed."""
        if self._assume_fps is None and (self._start_s or 0) > _FAR_S:
            tally.n_packets = jumped(opened, clock, self._start_s or 0)
        only_keyframes = self._grid == "keyframes"
        schedule = Schedule(span, clock, first_index=tally.n_packets, after_index=after, only_keyframes=only_keyframes)
        return SparseDecoder(opened.codec, read, schedule, tally).decoded(packets(opened, tally), span)

    def _why_nothing(self, length: float | None) -> str:
        """Why no picture came."""
        if not self._tally.n_packets:
            return "the video stream in it is empty"
        if self._start_s and not self._tally.n_lost:
            long = "" if length is None else f"; it is {length:.1f} s long"
            return f"no picture at or after {self._start_s} s{long}"
        return f"none of its {self._tally.n_packets} pictures can be decoded"
