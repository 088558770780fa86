"""Objects followed through one camera's pictures."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int

from sightline.model.arrays import Boxes, Labels, Scores, readonly
from sightline.model.detections import Extra

_COLUMNS = ("frame_index", "t_s", "number", "xyxy_px", "score", "label", "detection")
UNTRACKED = -1
"""``number`` of a sighting that belongs to no track, and ``detection`` of a row no detector saw."""


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """N sightings of followed objects of one camera, one row each, oldest picture first."""

    camera: str
    """Whose pictures these are; a track is known by (camera, number)."""
    frame_index: Int[np.ndarray, " n"]
    """Position of the picture in the stream, from 0."""
    t_s: Float[np.ndarray, " n"]
    """When, in the stream's own seconds; NaN where a file format does not say."""
    number: Int[np.ndarray, " n"]
    """Which track, counted from 1 within this camera; -1: not tracked."""
    xyxy_px: Boxes
    """Where in the picture."""
    score: Scores
    """Confidence in [0, 1]; of filled rows, that of the sparser neighbour."""
    label: Labels
    """Index into ``classes``."""
    detection: Int[np.ndarray, " n"]
    """Row of the detection in its picture's ``Detections``; -1: filled in, no detector saw it."""
    classes: tuple[str, ...] = ("object",)
    """Names of the labels."""
    extra: Extra = field(default_factory=dict)
    """More columns of the detections, carried along untouched."""

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            object.__setattr__(self, name, readonly(getattr(self, name)))
        frozen = {name: readonly(column) for name, column in self.extra.items()}
        object.__setattr__(self, "extra", MappingProxyType(frozen))

    def __reduce__(self) -> tuple[type["Tracks"], tuple[object, ...]]:
        """What it takes to make it again in another process: a read-only mapping cannot travel."""
        columns = (getattr(self, name) for name in _COLUMNS)
        return Tracks, (self.camera, *columns, self.classes, dict(self.extra))

    def __len__(self) -> int:
        return len(self.number)

    def rows(self, which: np.ndarray | slice) -> "Tracks":
        """The rows that ``which`` names (a boolean mask, indices or a slice), with all their columns."""
        columns = {name: getattr(self, name)[which] for name in _COLUMNS}
        extra = {name: column[which] for name, column in self.extra.items()}
        return Tracks(camera=self.camera, classes=self.classes, extra=extra, **columns)

    @classmethod
    def none(cls, camera: str, classes: tuple[str, ...] = ("object",)) -> "Tracks":
        """Nothing tracked."""
        return cls.joined(camera, [], classes)

    @classmethod
    def joined(cls, camera: str, parts: Iterable["Tracks"], classes: tuple[str, ...] = ("object",)) -> "Tracks":
        """The rows of all ``parts``, in that order.

        Extra columns are kept where every part has them. ``classes`` names the labels when there are no parts.

        Raises:
            ValueError: parts of different cameras or class lists.
        """
        full = [part for part in parts if len(part)]
        if {part.camera for part in full} - {camera}:
            raise ValueError(f"tracks of other cameras cannot join those of {camera!r}")
        names = {part.classes for part in full} or {classes}
        if len(names) > 1:
            raise ValueError("tracks with different class lists cannot be joined")
        empty = {
            "xyxy_px": np.zeros((0, 4)),
            "t_s": np.zeros(0),
            "score": np.zeros(0),
        }
        columns = {
            name: np.concatenate([getattr(part, name) for part in full])
            if full else empty.get(name, np.zeros(0, np.int64))
            for name in _COLUMNS
        }  # fmt: skip
        kept = set.intersection(*(set(part.extra) for part in full)) if full else set()
        extra = {name: np.concatenate([part.extra[name] for part in full]) for name in sorted(kept)}
        return cls(camera=camera, classes=names.pop(), extra=extra, **columns)
