"""People across cameras: where each camera saw somebody on the ground, who it was, and where everyone went."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.model.arrays import readonly
from sightline.model.positions import Positions
from sightline.model.tracks import Tracks

NOBODY = -1
"""``number`` of a sighting that is no identity's: a false alarm, or nothing can be said."""


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """N sightings on the ground by any number of cameras, one row each, on one clock."""

    cameras: tuple[str, ...]
    """Names of the cameras, whether they saw anything or not."""
    camera: Int[np.ndarray, " n"]
    """Index into ``cameras``."""
    t_s: Float[np.ndarray, " n"]
    """When, in seconds on the site's clock."""
    track: Int[np.ndarray, " n"]
    """Number of the track within its camera; -1: a bare detection."""
    xy_enu_m: Float[np.ndarray, "n 2"]
    """Where the feet stood, east and north; NaN: nobody can say."""
    cov_enu_m2: Float[np.ndarray, "n 2 2"]
    """How well that is known."""
    whole: Bool[np.ndarray, " n"]
    """Whether the box lay inside the picture; else the feet are a guess, with the covariance of one."""
    look: Float[np.ndarray, "n d"]
    """Appearance as a vector of length one; NaN: not looked at. No columns: appearance is not used."""
    xyxy_share: Float[np.ndarray, "n 4"]
    """Left, top, right, bottom of the box, as shares of the picture's width and height; NaN: unknown."""

    def __post_init__(self) -> None:
        for field in fields(self)[1:]:
            object.__setattr__(self, field.name, readonly(getattr(self, field.name)))

    def __len__(self) -> int:
        return len(self.camera)

    def rows(self, which: np.ndarray | slice) -> "Sightings":
        """The rows that ``which`` names (a boolean mask, indices or a slice), with all their columns."""
        return Sightings(self.cameras, *(getattr(self, field.name)[which] for field in fields(self)[1:]))

    @classmethod
    def of(
        cls,
        tracks: Tracks,
        positions: Positions,
        whole: Bool[np.ndarray, " n"],
        look: Float[np.ndarray, "n d"] | None = None,
        offset_s: float = 0.0,
        size_px: tuple[int, int] | None = None,
    ) -> "Sightings":
        """What one camera saw, its clock put right by ``offset_s``; rows as in ``tracks``.

        ``size_px`` is the width and height of its pictures.
        """
        n = len(tracks)
        width, height = size_px or (np.nan, np.nan)
        return cls(
            (tracks.camera,), np.zeros(n, np.int64), tracks.t_s + offset_s, tracks.number,
            positions.xyz_enu_m[:, :2], positions.cov_enu_m2[:, :2, :2], whole,
            np.zeros((n, 0)) if look is None else look,
            tracks.xyxy_px / np.array([width, height, width, height]),
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Iterable["Sightings"]) -> "Sightings":
        """The rows of all ``parts``, in that order, on one list of cameras.

        Raises:
            ValueError: there are no parts, or their looks have different lengths.
        """
        several = list(parts)
        if not several:
            raise ValueError("no sightings to join")
        if len({part.look.shape[1] for part in several}) > 1:
            raise ValueError("looks of different lengths cannot be joined; use one embedder for all cameras")
        cameras = tuple(dict.fromkeys(name for part in several for name in part.cameras))
        place = [np.array([cameras.index(name) for name in part.cameras], np.int64) for part in several]
        camera = np.concatenate([where[part.camera] for where, part in zip(place, several, strict=True)])
        columns = (np.concatenate([getattr(part, field.name) for part in several]) for field in fields(cls)[2:])
        return cls(cameras, camera, *columns)


@dataclass(frozen=True, slots=True, eq=False)
class Trajectories:
    """M places where identities were, one row each, sorted by number, then time."""

    number: Int[np.ndarray, " m"]
    """Which identity, counted from 1."""
    t_s: Float[np.ndarray, " m"]
    """When, in seconds on the site's clock."""
    xy_enu_m: Float[np.ndarray, "m 2"]
    """Where it stood, east and north, as its whole path tells."""
    velocity_enu_mps: Float[np.ndarray, "m 2"]
    """How fast it went east and north."""
    cov_enu_m2: Float[np.ndarray, "m 2 2"]
    """How well the place is known."""
    n_cameras: Int[np.ndarray, " m"]
    """How many cameras saw it then; 0: filled in between sightings."""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, readonly(getattr(self, field.name)))

    def __len__(self) -> int:
        return len(self.number)

    def rows(self, which: Bool[np.ndarray, " m"], number: Int[np.ndarray, " k"]) -> "Trajectories":
        """The rows that ``which`` marks, under other numbers."""
        return Trajectories(number, *(getattr(self, field.name)[which] for field in fields(self)[1:]))

    @classmethod
    def joined(cls, several: Iterable["Trajectories"]) -> "Trajectories":
        """The rows of all, sorted anew."""
        columns = [[getattr(one, field.name) for field in fields(cls)] for one in [cls.none(), *several]]
        together = [np.concatenate(column) for column in zip(*columns, strict=True)]
        order = np.lexsort((together[1], together[0]))
        return cls(*(column[order] for column in together))

    @classmethod
    def none(cls) -> "Trajectories":
        """Nobody anywhere."""
        no = np.zeros(0, np.int64)
        return cls(no, np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2, 2)), no)


@dataclass(frozen=True, slots=True, eq=False)
class Identities:
    """Who the sightings were of."""

    number: Int[np.ndarray, " n"]
    """The identity of each sighting, counted from 1; -1: nobody's."""
    paths: Trajectories
    """Where everyone went; nothing from engines that decide at once and look back at nothing."""
    late_s: Float[np.ndarray, " c"] | None = None
    """By camera, how late its clock turned out to be, which is put right in the paths; None: nobody looked."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", readonly(self.number))
