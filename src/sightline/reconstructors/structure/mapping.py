"""Places of cameras and points, from matches: all at once, or one picture after the other.

Source: Pan and others, "Global structure-from-motion revisited" (2024); Schoenberger and Frahm,
"Structure-from-motion revisited" (2016); both as pycolmap implements them.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from sightline.reconstructors.colmap import pycolmap
from sightline.reconstructors.structure.agreement import Agreement, Verified, verified_matches

Mapper = Literal["global", "incremental", "given"]
"""All at once, one picture after the other, or at places that were given."""
_TRACKS: Final = 150
"""Points that each picture lends to finding the cameras; the rest is added when the cameras are known."""
_FAR_PX: Final = 4.0
"""A point seen this far from where it should be was matched wrongly."""
_ROUGH_PX: Final = 12.0
"""The same as long as only the first points are there, and lenses may be far off."""
_NARROW_DEG: Final = 1.0
"""Points seen under a smaller angle have no depth."""
_ENOUGH: Final = 0.95
"""With this share of the pictures placed ..."""
_AGREED: Final = 0.9
"""... and this share of the pairs in agreement there is no need to try in another way."""
_TRIALS: Final = (30, 1000)
"""Attempts to find one motion, at least and at most; enough for pairs of which two fifths are right."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What became of the matches."""

    model: pycolmap.Reconstruction | None
    """The largest set of cameras that belong together; None: there is none."""
    mapper: Mapper
    """How it was found."""
    others: tuple[tuple[int, ...], ...] = ()
    """Numbers of the pictures of the other sets, the largest first; where they are from the largest cannot be told."""
    agreement: float = 1.0
    """Share of the pairs that match whose matches are points of the model."""
    n_agreeing: int = 0
    """Those matches."""

    @property
    def n_placed(self) -> int:
        """Pictures whose place was found."""
        return 0 if self.model is None else self.model.num_reg_images()


def verified(database: Path, seed: int, threads: int) -> None:
    """Keeps of each pair's matches those that one motion of the camera explains."""
    options = pycolmap.TwoViewGeometryOptions()
    options.ransac.random_seed = seed
    options.ransac.min_num_trials, options.ransac.max_num_trials = _TRIALS
    options.ransac.dyn_num_trials_multiplier = 1.0
    pycolmap.geometric_verification(
        database, pycolmap.GeometricVerifierOptions(num_threads=threads), two_view_geometry_options=options
    )


def mapped(folder: Path, n_pictures: int, fixed: Sequence[int], seed: int, stopped: Callable[[], bool]) -> Mapped:
    """The better of both ways; the second is only tried where the first leaves pictures over or matches unexplained.

    ``folder`` has the ``database`` in it; ``fixed`` are the numbers of lenses that are known and stay as they are.
    Everything runs on one core, for the same cameras every time.
    """
    matches = verified_matches(folder / "database")
    first = _whole(_global(folder, fixed, seed), matches)
    if (first.n_placed >= _ENOUGH * n_pictures and first.agreement >= _AGREED) or stopped():
        return first
    second = _whole(_incremental(folder, n_pictures, fixed, seed, stopped), matches)
    return max(first, second, key=lambda one: (one.agreement >= _AGREED, one.n_placed, one.n_agreeing))


def _whole(found: Mapped, matches: Verified) -> Mapped:
    """What holds together, the rest apart."""
    if found.model is None:
        return found
    others = Agreement(found.model, matches).pieces()[1:]
    for number in (number for piece in others for number in piece):
        found.model.deregister_frame(number)
    return compared(replace(found, others=_sorted([*found.others, *others])), matches)


def compared(found: Mapped, matches: Verified) -> Mapped:
    """With how it agrees with the matches."""
    if found.model is None:
        return found
    agreement = Agreement(found.model, matches)
    return replace(found, agreement=agreement.share, n_agreeing=agreement.n_agreeing)


def _global(folder: Path, fixed: Sequence[int], seed: int) -> Mapped:
    """All at once."""
    options = pycolmap.GlobalPipelineOptions(random_seed=seed, num_threads=1)
    inner = options.mapper
    inner.random_seed, inner.num_threads = seed, 1
    inner.track_required_tracks_per_view = _TRACKS
    inner.ba_num_iterations = 1
    inner.skip_retriangulation = True
    inner.bundle_adjustment.refine_focal_length = not fixed
    inner.bundle_adjustment.refine_extra_params = not fixed
    for positioning in (inner.global_positioning, inner.bundle_adjustment.ceres):
        positioning.use_gpu = False
    models = pycolmap.global_mapping(folder / "database", empty(folder, "pictures"), empty(folder, "all"), options)
    rough = refined(_largest(list(models.values()), "global"), fixed, far_px=_ROUGH_PX)
    return refined(_filled(rough, folder / "database", seed), fixed)


def _filled(mapped_: Mapped, database: Path, seed: int) -> Mapped:
    """With the points of all matches, where so far only those are that it took to find the cameras."""
    if mapped_.model is None:
        return mapped_
    kept = pycolmap.Database.open(database)
    try:
        graph = pycolmap.DatabaseCache.create(kept, pycolmap.DatabaseCacheOptions()).correspondence_graph
    finally:
        kept.close()
    seen = pycolmap.ObservationManager(mapped_.model, graph)
    triangulator = pycolmap.IncrementalTriangulator(graph, mapped_.model, seen)
    options = pycolmap.IncrementalTriangulatorOptions(random_seed=seed)
    for image_id in sorted(mapped_.model.reg_image_ids()):
        triangulator.triangulate_image(options, image_id)
    triangulator.complete_all_tracks(options)
    triangulator.merge_all_tracks(options)
    return mapped_


def _incremental(folder: Path, n_pictures: int, fixed: Sequence[int], seed: int, stopped: Callable[[], bool]) -> Mapped:
    """One picture after the other; between two of them it may be stopped."""
    options = incremental_options(fixed, seed)
    if n_pictures == 2:
        options.min_model_size = 2
        options.triangulation.ignore_two_view_tracks = False
    token = pycolmap.CancellationToken()

    def glance() -> None:
        if stopped():
            token.cancel()

    models = pycolmap.incremental_mapping(
        folder / "database",
        empty(folder, "pictures"),
        empty(folder, "one_by_one"),
        options,
        next_image_callback=glance,
        cancellation_token=token,
    )
    return refined(_largest(list(models.values()), "incremental"), fixed)


def incremental_options(fixed: Sequence[int], seed: int) -> pycolmap.IncrementalPipelineOptions:
    """How pictures are added one by one; lenses ``fixed`` stay as they are."""
    options = pycolmap.IncrementalPipelineOptions(
        random_seed=seed, num_threads=1, extract_colors=False, min_model_size=3, max_num_models=10
    )
    options.mapper.init_min_tri_angle = 4.0
    options.mapper.init_min_num_inliers = 30
    options.constant_cameras = set(fixed)
    return options


def refined(mapped_: Mapped, fixed: Sequence[int], given: Collection[int] = (), far_px: float = _FAR_PX) -> Mapped:
    """Without wrong matches, and adjusted once more to what is left; pictures ``given`` stay where they are."""
    model = mapped_.model
    if model is None:
        return mapped_
    observations = pycolmap.ObservationManager(model)
    observations.filter_all_points3D(far_px, _NARROW_DEG)
    config = pycolmap.BundleAdjustmentConfig()
    for image_id in model.reg_image_ids():
        config.add_image(image_id)
    for camera_id in fixed:
        config.set_constant_cam_intrinsics(camera_id)
    for frame_id in given:
        config.set_constant_rig_from_world_pose(frame_id)
    if not given:
        config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    options = pycolmap.BundleAdjustmentOptions(print_summary=False)
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.solver_options.num_threads = 1
    options.ceres.solver_options.max_num_iterations = 30
    options.ceres.solver_options.function_tolerance = 1e-5
    pycolmap.create_default_bundle_adjuster(options, config, model).solve()
    observations.filter_all_points3D(min(far_px, _FAR_PX) / 2, _NARROW_DEG)
    model.update_point_3d_errors()
    return mapped_


def _largest(models: Sequence[pycolmap.Reconstruction], mapper: Mapper) -> Mapped:
    """The largest, and which pictures are in the others."""
    if not models:
        return Mapped(None, mapper)
    largest, *others = sorted(models, key=lambda m: (m.num_reg_images(), m.num_points3D()), reverse=True)
    return Mapped(largest, mapper, _apart(set(largest.reg_image_ids()), [m.reg_image_ids() for m in others]))


def _apart(taken: set[int], others: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """The others without pictures that were in one before: models may share some."""
    kept: list[Sequence[int]] = []
    for other in others:
        kept.append([number for number in other if number not in taken])
        taken |= set(other)
    return _sorted(kept)


def _sorted(others: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """The largest first; one picture alone is no set."""
    sets = [tuple(sorted(other)) for other in others if len(other) > 1]
    return tuple(sorted(sets, key=lambda numbers: (-len(numbers), numbers)))


def empty(folder: Path, name: str) -> Path:
    """A folder that the library insists on."""
    path = folder / name
    path.mkdir(exist_ok=True)
    return path
