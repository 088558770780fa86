"""The demonstration: a made-up site is filmed, every camera tracked, and the tracks held against the truth."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from sightline import __version__, simulation
from sightline.evaluation import MEANING, Scores, combined, evaluate, forgiven
from sightline.evaluation.places import Places, PlaceScores, scored
from sightline.executors.local import Stopped, Tell, each
from sightline.files import whole
from sightline.formats import report
from sightline.formats.jpeg import encoded
from sightline.formats.parquet import Parquet
from sightline.formats.privacy import Privacy
from sightline.formats.report import CameraPart, Chart, Curve, GroundMap, Number, ReportPage, Trail
from sightline.formats.sites.toml import read
from sightline.geometry.homography import px_from_map
from sightline.geometry.warp import warped
from sightline.identifiers.ground import Ground
from sightline.jobs.demo_drone import FlightOutcome, fly
from sightline.jobs.sites.maps import pale_map
from sightline.jobs.track import TrackJob, TrackResult
from sightline.jobs.track import run as track
from sightline.locators.homography import Homography
from sightline.model.identities import Sightings, Trajectories
from sightline.model.tracks import Tracks
from sightline.model.view import View
from sightline.simulation.truth import CLEAR
from sightline.sources.video import Video

STILL = "still.jpg"
"""Name of each camera's picture in the report."""
ON_THE_MAP = {
    "IDF1 on the map": "share of the moments at which somebody stands within a metre of where they truly were, under "
    "the one identity that they have in all cameras",
    "off, median": "half of all places are this near to the true ones, or nearer",
    "off, 9 in 10": "nine in ten are",
    "frames per CPU-second": "pictures decoded, searched and tracked by one core in a second",
}
"""What the numbers of places mean."""
FROM_ABOVE = {
    "90 % circle": "The drone's log is off by metres and degrees, as logs are; each place comes with a circle that the "
    "true one should be within in nine cases of ten. This is the middle one's radius.",
    "in their circle": "Share of the places that are: 90 % would be right over many flights. The log's errors are the "
    "same all through one flight, so all of its places tend to be in, or out.",
}
"""What the drone's numbers mean."""
ANYTHING = ("object",)
"""The classes of detectors that do not tell one thing from another."""


@dataclass(frozen=True, slots=True)
class DemoJob:
    """What was asked for."""

    folder: Path
    """Where everything goes."""
    plan: simulation.Plan
    """What to simulate."""
    detector: str = "people_hog"
    """Name of a detector."""
    tracker: str = "botsort"
    """Name of a tracker."""
    workers: int = 2
    """Processes at a time."""
    privacy: Privacy = "none"
    """What videos and pictures hide of everybody who was found."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraOutcome:
    """What came of one camera."""

    name: str
    """The camera."""
    truth: Tracks
    """Who was really there."""
    result: TrackResult
    """Who was found."""
    scores: Scores
    """How well the two agree."""


@dataclass(frozen=True, slots=True, eq=False)
class DemoResult:
    """What came of it."""

    page: Path
    """The report."""
    cameras: tuple[CameraOutcome, ...]
    """Each camera's part."""
    scores: Scores
    """All cameras together."""
    places: PlaceScores
    """Where everybody was on the map, under one identity for all cameras."""
    n_identities: int
    """How many those are."""
    flight: FlightOutcome
    """What a drone saw of another place."""


def run(job: DemoJob, tell: Tell, stopped: Stopped) -> DemoResult | None:
    """Does the job; None when ``stopped`` before the end: the files that are there are whole.

    Raises:
        SightlineError: an engine or option is wrong.
        OSError: a file cannot be written.
    """
    site = simulation.Simulation(job.plan)
    films = job.folder / "site"
    simulation.write(site, films, workers=job.workers, progress=_renamed("filming", tell), stopped=stopped)
    names = [camera.name for camera in site.cameras]
    work = partial(_camera, job)
    cameras = each(work, names, workers=job.workers, tell=tell, stopped=stopped)
    if stopped():
        return None
    scores = combined([camera.scores for camera in cameras])
    tell("settling who is who", 0, None)
    paths = _identified(site, cameras)
    places = _places(site, cameras, paths)
    flight = fly(job.folder, job.plan.seed, job.plan.duration_s, tell, stopped, job.privacy)
    if flight is None:
        return None
    page = job.folder / "report.html"
    shown = _page(job, site, cameras, scores, paths, places)
    report.write(
        page,
        replace(shown, cameras=(*shown.cameras, flight.part), meaning={**shown.meaning, **ON_THE_MAP, **FROM_ABOVE}),
    )
    return DemoResult(page, tuple(cameras), scores, places, len(np.unique(paths.number)), flight)


def _identified(site: simulation.Simulation, cameras: list[CameraOutcome]) -> Trajectories:
    """Where everybody went, one path for each, whichever cameras saw them."""
    views, parts = {}, []
    for camera in site.cameras:
        view = View(camera.name, camera.width, camera.height, px_from_map(camera))
        tracks = next(one.result.tracks for one in cameras if one.name == camera.name)
        locator = Homography(view=view)
        size = (camera.width, camera.height)
        parts.append(Sightings.of(tracks, locator.locate(tracks), locator.whole(tracks.xyxy_px), size_px=size))
        views[camera.name] = view
    return Ground(views=views).identify(Sightings.joined(parts)).paths


def _places(site: simulation.Simulation, cameras: list[CameraOutcome], paths: Trajectories) -> PlaceScores:
    """The paths against where everybody was whom some camera saw clearly, and whom the detector knows."""
    seen = [one.truth.rows(~_beyond(one.truth, one.result.tracks)) for one in cameras]
    frame = np.concatenate([rows.frame_index for rows in seen])
    number = np.concatenate([rows.extra["identity"] for rows in seen])  # one for all cameras, and after every return
    xy_m = np.concatenate([rows.extra["ground_enu_m"][:, :2] for rows in seen])
    _, once = np.unique(np.column_stack([frame, number]), axis=0, return_index=True)
    truth = Places(frame[once], number[once], xy_m[once])
    moment = np.rint(paths.t_s * site.plan.fps).astype(np.int64)
    everywhere = np.isin(truth.moment, np.unique(moment))
    truth = Places(truth.moment[everywhere], truth.number[everywhere], truth.xy_m[everywhere])
    was_seen = paths.n_cameras > 0
    return scored(truth, Places(moment[was_seen], paths.number[was_seen], paths.xy_enu_m[was_seen]))


def _renamed(prefix: str, tell: Tell) -> Tell:
    """Steps told with a word before them."""
    return lambda step, done, total: tell(f"{prefix} {step}", done, total)


def _camera(job: DemoJob, name: str, tell: Tell, stopped: Stopped) -> CameraOutcome:
    """Tracks one camera's film and holds it against the truth."""
    wanted = TrackJob(
        source=str(job.folder / "site" / f"{name}.mp4"),
        folder=job.folder / name,
        detector=job.detector,
        tracker=job.tracker,
        privacy=job.privacy,
    )
    result = track(wanted, lambda step, done, total: tell(f"{step} {name}", done, total), stopped)
    if result.complete:
        _still(wanted.folder, result.tracks)
    truth = Parquet().read(job.folder / "site" / f"{name}.truth.parquet")
    return CameraOutcome(name, truth, result, evaluate(*forgiven(truth, result.tracks, _beyond(truth, result.tracks))))


def _still(folder: Path, tracks: Tracks) -> None:
    """A picture of the annotated video, from the moment when most is going on."""
    busiest = int(np.bincount(tracks.frame_index).argmax()) if len(tracks) else 0
    planes = next(p for p in Video(folder / "annotated.mp4").planes() if p.moment.index == busiest)
    with whole(folder / STILL) as path:
        path.write_bytes(encoded(planes, quality=88))


def _beyond(truth: Tracks, found: Tracks) -> Bool[np.ndarray, " n"]:
    """Which rows of the truth nobody can be asked to find: the hidden, and classes that the detector does not know."""
    hidden = truth.extra["visibility"] < CLEAR
    if found.classes == ANYTHING:
        return hidden
    known = np.isin(np.array(truth.classes), found.classes)
    return hidden | ~known[truth.label]


def _page(
    job: DemoJob,
    site: simulation.Simulation,
    cameras: list[CameraOutcome],
    scores: Scores,
    paths: Trajectories,
    places: PlaceScores,
) -> ReportPage:
    """The report's content."""
    plan = job.plan
    ways = _true_ways([camera.truth.rows(~_beyond(camera.truth, camera.result.tracks)) for camera in cameras])
    cpu_s = sum(camera.result.cpu_s for camera in cameras)
    n_frames = sum(camera.result.n_frames for camera in cameras)
    return ReportPage(
        title="Sightline: a simulated site, tracked",
        lead=f"{plan.n_people} people and {plan.n_vehicles} vehicles before {plan.n_cameras} cameras for"
        f" {plan.duration_s:g} seconds. Everything was found from the pictures alone, without weights,"
        " and is measured against where everyone really was.",
        numbers=(
            *_numbers(scores),
            *_place_numbers(places),
            Number("frames per CPU-second", f"{n_frames / max(cpu_s, 1e-9):.0f}"),
        ),
        cameras=tuple(_part(site, camera) for camera in cameras),
        ground=GroundMap(
            truth=ways,
            found=Trail.each(paths.number, _on_the_map(site, paths.xy_enu_m)),
            under=pale_map(read(job.folder / "site" / "site.toml"), np.concatenate([trail.xy_m for trail in ways])),
            caption="The site from above, in metres: one colour for each identity, whichever cameras saw it, over the"
            " true ways in grey.",
        ),
        meaning=MEANING,
        made=(
            ("Sightline", __version__),
            ("detector", job.detector),
            ("tracker", f"{job.tracker}, linked and filled afterwards"),
            ("seed", str(plan.seed)),
            ("pictures", f"{plan.size[0]}x{plan.size[1]} at {plan.fps:g} per second"),
            (
                "truth",
                f"whom the detector knows and of whom {CLEAR:.0%} shows; finding others is neither right nor wrong",
            ),
        ),
        command=f"sightline demo --seed {plan.seed}",
    )


def _numbers(scores: Scores) -> tuple[Number, ...]:
    """The scores that matter most."""
    return (
        Number.percent("HOTA", scores.hota),
        Number.percent("IDF1", scores.idf1),
        Number.percent("MOTA", scores.mota),
        Number.count("IDSW", scores.clear.idsw),
        Number("ids", f"{scores.n_found_ids} / {scores.n_truth_ids}"),
    )


def _place_numbers(places: PlaceScores) -> tuple[Number, ...]:
    """How right the map is."""
    return (
        Number.percent("IDF1 on the map", places.idf1),
        Number("off, median", f"{places.median_m:.2f} m"),
        Number("off, 9 in 10", f"{places.p90_m:.2f} m"),
    )


def _part(site: simulation.Simulation, camera: CameraOutcome) -> CameraPart:
    """One camera's part of the report."""
    t_s = site.trajectories.t_s
    countable = camera.truth.rows(~_beyond(camera.truth, camera.result.tracks))
    rate = camera.result.n_frames / max(camera.result.cpu_s, 1e-9)
    curves = (Curve.of_ids("found", camera.result.tracks, t_s), Curve.of_ids("true", countable, t_s))
    return CameraPart(
        name=camera.name,
        video=f"{camera.name}/annotated.mp4",
        still=f"{camera.name}/{STILL}",
        numbers=(*_numbers(camera.scores), Number("frames per CPU-second", f"{rate:.0f}")),
        chart=Chart("Ids in the picture over time", curves),
        ground=GroundMap(truth=_true_ways([countable]), found=_found_trails(site, camera)),
        files=tuple(f"{camera.name}/{path.name}" for path in camera.result.files),
    )


def _true_ways(seen: list[Tracks]) -> tuple[Trail, ...]:
    """Where everyone whom a camera could be asked to find really went; once, however many cameras saw it."""
    frame = np.concatenate([rows.frame_index for rows in seen])
    number = np.concatenate([rows.extra["identity"] for rows in seen])
    xy_m = np.concatenate([rows.extra["ground_enu_m"][:, :2] for rows in seen])
    _, once = np.unique(np.column_stack([number, frame]), axis=0, return_index=True)
    broken = np.flatnonzero((np.diff(frame[once]) > 1) & (np.diff(number[once]) == 0)) + 1
    gaps = np.insert(xy_m[once], broken, np.nan, axis=0)
    return Trail.each(np.insert(number[once], broken, number[once][broken]), gaps)


def _found_trails(site: simulation.Simulation, camera: CameraOutcome) -> tuple[Trail, ...]:
    """Where the feet of the found boxes stand on the ground."""
    tracks = camera.result.tracks
    return Trail.each(tracks.number, _on_the_map(site, warped(site.map_from_px(camera.name), _feet(tracks))))


def _feet(tracks: Tracks) -> Float[np.ndarray, "n 2"]:
    """Middle of the lower edge of every box."""
    left, _, right, bottom = tracks.xyxy_px.T
    return np.stack([(left + right) / 2, bottom], axis=1)


def _on_the_map(site: simulation.Simulation, xy_m: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """The points; NaN where they lie beyond the site's map, as boxes cut off by the picture's edge may."""
    low, high = np.array(site.site.low_m), np.array(site.site.high_m)
    inside = np.all((xy_m >= low) & (xy_m <= high), axis=1)
    return np.where(inside[:, None], xy_m, np.nan)
