"""Everything that can be plugged in, in the order data meets it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from sightline.executors.local import Stopped, Tell
from sightline.model.arrays import Boxes, Looks, Warp
from sightline.model.detections import Detections
from sightline.model.flight import Flight
from sightline.model.frame import Footage, Frame, Moment
from sightline.model.identities import Identities, Sightings
from sightline.model.positions import Positions
from sightline.model.scene import Scene
from sightline.model.shots import Shots
from sightline.model.tracks import Tracks


@runtime_checkable
class Source(Protocol):
    """Pictures of one camera. Reading again starts again; memory does not grow with length."""

    def about(self) -> Footage:
        """What it says of itself before it is read."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Pictures, oldest first, upright; ``t_s`` rises strictly. Damaged ones are left out.

        Letting go of the iterator closes what it reads.
        """
        ...

    def n_lost(self) -> int:
        """How many pictures the last reading had to leave out because they were damaged or missing."""
        ...


@runtime_checkable
class Stabilizer(Protocol):
    """Tells the camera's own motion from picture to picture. Make one per camera."""

    def px_from_before(self, frame: Frame) -> Warp:
        """Takes pixels of the picture given before to this one's; exactly the identity for a camera at rest.

        The identity also for the first picture, and where it cannot tell.
        """
        ...


@runtime_checkable
class Detector(Protocol):
    """Finds objects in pictures of one camera, given in order. Make one per camera."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What is in each picture; boxes lie inside it. How frames are batched changes nothing but speed."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """Follows objects through one camera's pictures. Make one per camera."""

    def update(self, moment: Moment, found: Detections) -> Tracks:
        """The tracked among ``found``, in their order, one row each; rows not yet or not tracked are left out.

        Moments come in order. Numbers count from 1 within this tracker. Boxes with NaN are never tracked.
        """
        ...


@runtime_checkable
class Embedder(Protocol):
    """Tells people apart by their looks."""

    def embed(self, frame: Frame, xyxy_px: Boxes) -> Looks:
        """One vector of length one for each box; NaN where there is nothing to see. Alike is a large dot product."""
        ...


class Locator(Protocol):
    """Tells where things stood that one camera followed. Make one per camera."""

    def locate(self, tracks: Tracks) -> Positions:
        """A position for each row, in their order, with covariance; NaN where it cannot be told."""
        ...


@runtime_checkable
class Identifier(Protocol):
    """Tells who is who across the cameras of a site. Make one per site and recording."""

    def identify(self, sightings: Sightings) -> Identities:
        """Who each sighting is of, in their order; nobody is twice in one camera at one time.

        Engines that look back want all sightings at once. Those that decide at once may be asked again and again,
        each time with what came since, and remember whom they know.
        """
        ...


@runtime_checkable
class Reconstructor(Protocol):
    """Rebuilds a scene at rest from pictures of it."""

    def reconstruct(self, shots: Shots, tell: Tell, stopped: Stopped) -> Scene:
        """One view per picture, in their order, those without a place among them. Says what its unit is.

        Raises:
            ReconstructionError: the pictures do not make a scene; says what to do, and holds what there is of one.
            EngineError: it was stopped before there was one.
        """
        ...


@runtime_checkable
class FlightLog(Protocol):
    """One kind of flight log. Engines keep nothing: one of them reads any number of files."""

    def read(self, path: Path) -> Flight:
        """What the log says; what it does not say stays unknown, what is odd stands in the warnings.

        Raises:
            FormatError: the file is no such log, or something in it cannot be read; names line and column.
            SourceError: it is a video that cannot be opened.
            OSError: it cannot be read.
        """
        ...


@runtime_checkable
class Format(Protocol):
    """One file format for tracks, both directions. Writing is all or nothing."""

    def write(self, tracks: Tracks, path: Path) -> None:
        """Puts the tracks into the file."""
        ...

    def read(self, path: Path) -> Tracks:
        """The tracks in the file, oldest picture first.

        Raises:
            FormatError: the file is not of this format; names the file, the line or field, and what is wrong.
        """
        ...
