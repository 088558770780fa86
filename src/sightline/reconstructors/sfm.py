"""Structure from motion: cameras, depth and points from pictures alone, without any network or weights.

Features are OpenCV's SIFT (Apache-2.0), cameras and points pycolmap's (BSD-3).
"""

import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, final

from sightline import __version__
from sightline.errors import OptionError, ReconstructionError
from sightline.executors.local import Stopped, Tell
from sightline.model.lens import LensModel
from sightline.model.scene import MadeBy, Scene
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.at_work import AtWork
from sightline.reconstructors.dense.densified import SIDES_PX, Quality, affordable, densified, fitting
from sightline.reconstructors.structure.agreement import verified_matches
from sightline.reconstructors.structure.album import Seen, Sharing, lens_of, lenses, written
from sightline.reconstructors.structure.doubting import with_doubts
from sightline.reconstructors.structure.features import features as features_of
from sightline.reconstructors.structure.mapping import Mapped, mapped, verified
from sightline.reconstructors.structure.matching import Matches, matches
from sightline.reconstructors.structure.outcome import complaint, scene
from sightline.reconstructors.structure.pairs import Pair, pairs
from sightline.reconstructors.structure.posing import knows_poses, posed
from sightline.reconstructors.structure.quiet import quiet
from sightline.reconstructors.structure.standing import standing

_MOST_THREADS = 8
"""Each holds one picture and its pyramid: a few hundred megabytes."""
_FINER: Final = 1.25
"""A second time is worth it for depth that is finer by this factor."""


@final
class Sfm:
    """Cameras with lenses, points with the pictures that see them; depth of each picture and a cloud of their pixels.

    All cameras are sought at once; where that leaves pictures without a place, one after the other, and the better
    is kept. The same pictures give the same scene, to the last bit, on the same machine, unless ``minutes`` are given.

    Options:
        lens: the formula for lenses that are not known; COLMAP's name.
        sharing: ``camera``: pictures of one camera and size share a lens; ``each``: every picture has its own.
        features: spots to look for in a picture, at most.
        side_px: pictures are looked at no larger than this.
        quality: how fine depth is: ``draft``, ``normal`` and ``high`` are pictures of 400, 800 and 1600 pixels, each
            four times the work of the one before, or less where they would take more than 4 GB of memory;
            ``sparse``: no depth.
        minutes: how long it may take, instead of a quality: depth is found at 400 pixels first, whatever that takes,
            and once more as fine as, by how long that took, there is time for; 0: as the quality says.
        seed: where chance begins.

    Raises:
        OptionError: a number is too small.
    """

    def __init__(
        self,
        *,
        lens: LensModel = LensModel.SIMPLE_RADIAL,
        sharing: Sharing = "camera",
        features: int = 8192,
        side_px: int = 1600,
        quality: Quality = "draft",
        minutes: float = 0.0,
        seed: int = 0,
    ) -> None:
        if features < 100 or side_px < 100 or seed < 0:
            raise OptionError(f"features = {features}, side_px = {side_px}, seed = {seed}: at least 100, 100 and 0")
        if not 0 <= minutes < float("inf") or (minutes and quality == "sparse"):
            raise OptionError(f"minutes = {minutes}: a number from 0 on, and none without depth (quality = {quality})")
        self._lens = lens
        self._sharing: Sharing = sharing
        self._features = features
        self._side_px = side_px
        self._quality: Quality = quality
        self._minutes = minutes
        self._seed = seed

    def reconstruct(self, shots: Shots, tell: Tell, stopped: Stopped) -> Scene:
        """Cameras, points and depth; pictures that found no place are listed as such.

        Raises:
            ReconstructionError: the pictures do not make a scene; says why and what to do, and holds what there is.
            EngineError: stopped, or the library gave up.
        """
        end_s = time.monotonic() + 60 * self._minutes
        if len(shots) < 2:
            raise ReconstructionError(f"{len(shots)} pictures; it takes two at least, better twenty")
        with ThreadPoolExecutor(min(_MOST_THREADS, len(os.sched_getaffinity(0)))) as pool:
            at_work = AtWork(pool, tell, stopped)
            seen = at_work.each("features", self._seen, shots.shots)
            found = self._matched(seen, shots.is_sequence, at_work)
        cameras, taken = lenses(seen, self._lens, self._sharing)
        fixed = sorted({number for one, number in zip(seen, taken, strict=True) if one.shot.lens is not None})
        with quiet(), tempfile.TemporaryDirectory(prefix="sightline-sfm-") as folder:
            written(Path(folder, "database"), seen, cameras, taken, found)
            tell("verifying", 0, None)
            verified(Path(folder, "database"), self._seed, len(os.sched_getaffinity(0)))
            at_work.glance()
            tell("mapping", 0, None)
            still = None if knows_poses(shots) else standing(seen, verified_matches(Path(folder, "database")))
            outcome = Mapped(None, "global") if still else self._placed(Path(folder), shots, fixed, stopped)
            at_work.glance()
        tell("mapping", outcome.n_placed, len(seen))
        made_by = self._made_by(outcome, shots)
        built = self._judged(seen, scene(shots, seen, [lens_of(c) for c in cameras], taken, outcome, made_by), still)
        built = with_doubts(built, shots)
        return built if self._quality == "sparse" else self._dense(built, shots, end_s, tell, stopped)

    def _dense(self, built: Scene, shots: Shots, end_s: float, tell: Tell, stopped: Stopped) -> Scene:
        """The scene with depth, by the clock's ``end_s`` if there is a limit."""
        n_threads = min(_MOST_THREADS, len(os.sched_getaffinity(0)))
        with ThreadPoolExecutor(n_threads) as pool:
            at_work = AtWork(pool, tell, stopped)
            if not self._minutes:
                return densified(built, shots, fitting(SIDES_PX[self._quality], built, n_threads), self._seed, at_work)
            side_px, began_s = fitting(SIDES_PX["draft"], built, n_threads), time.monotonic()
            found = densified(built, shots, side_px, self._seed, at_work)
            now_s = time.monotonic()
            longest_px = max(max(lens.width, lens.height) for lens in built.lenses)
            finer_px = min(affordable(side_px, now_s - began_s, end_s - now_s), longest_px)
            finer_px = fitting(finer_px, built, n_threads)
            if finer_px > _FINER * side_px:
                side_px, found = finer_px, densified(built, shots, finer_px, self._seed, at_work)
        settings = {**found.made_by.settings, "depth_px": side_px}
        return replace(found, made_by=replace(found.made_by, settings=settings))

    def _placed(self, folder: Path, shots: Shots, fixed: Sequence[int], stopped: Stopped) -> Mapped:
        """Cameras and points; at the poses that are given, if there are enough."""
        if knows_poses(shots):
            return posed(folder, shots, fixed, self._seed, stopped)
        return mapped(folder, len(shots), fixed, self._seed, stopped)

    def _seen(self, shot: Shot) -> Seen:
        """One picture, looked at and let go."""
        rgb = shot.read()
        found = features_of(rgb, most=self._features, side_px=self._side_px)
        return Seen(shot, rgb.shape[1], rgb.shape[0], found)

    def _matched(self, seen: Sequence[Seen], is_sequence: bool, at_work: AtWork) -> dict[Pair, Matches]:
        """Matches of all pairs that may have any."""
        spots = [one.features for one in seen]
        compared = pairs(spots, is_sequence, lambda work, items: at_work.each("glancing", work, items))

        def found(pair: Pair) -> Matches:
            side_px = max(max(seen[i].width, seen[i].height) for i in pair)
            return matches(spots[pair[0]], spots[pair[1]], float(side_px))

        return dict(zip(compared, at_work.each("matching", found, compared), strict=True))

    def _made_by(self, outcome: Mapped, shots: Shots) -> MadeBy:
        """What ran and how, and what came of it that the scene has no other place for."""
        settings: dict[str, Any] = {
            "lens": str(self._lens),
            "sharing": self._sharing,
            "features": self._features,
            "side_px": self._side_px,
            "quality": self._quality,
            "minutes": self._minutes,
            "seed": self._seed,
            "mapper": outcome.mapper,
            "agreement": round(outcome.agreement, 3),
            "other_models": [[shots.shots[number - 1].name for number in other] for other in outcome.others],
        }
        return MadeBy("sfm", __version__, settings=settings)

    @staticmethod
    def _judged(seen: Sequence[Seen], built: Scene, still: str | None) -> Scene:
        """The scene, if it can be believed; ``still``: why it cannot be one."""
        why = still or complaint(built, seen)
        if why is None:
            return built
        others = built.made_by.settings["other_models"]
        sizes = ", ".join(str(len(other)) for other in others)
        pieces = f"; other pieces, of {sizes} pictures, do not connect" if others else ""
        raise ReconstructionError(why + pieces, built)
