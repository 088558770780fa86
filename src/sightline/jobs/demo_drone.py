"""The demonstration from the air: a flight is filmed, its video and log made into places, which are measured."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation.circle import ce90_m
from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.formats.annotated_video import AnnotatedVideo
from sightline.formats.jpeg import encoded
from sightline.formats.parquet import Parquet
from sightline.formats.privacy import Privacy
from sightline.formats.report import CameraPart, GroundMap, Number, Trail
from sightline.geodesy.enu import enu_from_wgs84, wgs84_from_enu
from sightline.geometry.boxes import iou
from sightline.jobs.drone.options import DroneOptions
from sightline.jobs.drone.running import DroneJob, DroneResult
from sightline.jobs.drone.running import run as locate
from sightline.locators.doubts import CONSUMER
from sightline.model.tracks import Tracks
from sightline.simulation.flight.faults import Faults
from sightline.simulation.flight.paths import ORIGIN, FlightPlan
from sightline.simulation.flight.rendered.film import FilmPlan
from sightline.simulation.flight.rendered.writing import LOG, TRUTH, VIDEO, Wrong, write
from sightline.sources.video import Video

FOLDER, PLACES = "drone", "drone/places"
"""Where its files go, below the demonstration's."""
_SHORTEST_S, _LONGEST_S = 8.0, 10.0
_YAW_OFF_DEG, _LATE_S = -12.0, 0.5
_SAME = 0.2
"""A box that overlaps a true one by so much is of that one."""


@dataclass(frozen=True, slots=True, eq=False)
class FlightOutcome:
    """What came of the flight."""

    n_tracks: int
    """How many things were followed."""
    n_true: int
    """How many of them are really there and move."""
    median_m: float
    """Half of the places are off by less."""
    p90_m: float
    """Nine in ten are."""
    told_m: float
    """Radius of the circle that nine in ten should lie in, as told with the places; the middle one."""
    inside: float
    """Share of the places that lie in their circle."""
    yaw_constant_deg: float
    """What the gimbal's yaw was found to be off by; it was -12."""
    part: CameraPart
    """Its part of the report."""


def fly(
    folder: Path, seed: int, seconds: float, tell: Tell, stopped: Stopped, privacy: Privacy
) -> FlightOutcome | None:
    """Films a flight over a town, and finds from video and log alone where everything went; None when stopped.

    The log has what logs of consumer drones have: errors of metres and degrees, a gimbal whose yaw is 12 degrees
    off, a recording flag that rises half a second late.

    Raises:
        SightlineError: an engine failed.
        OSError: a file cannot be written.
    """
    film_s = float(np.clip(seconds, _SHORTEST_S, _LONGEST_S))
    flight = FlightPlan("orbit", 45.0, np.deg2rad(-45.0), duration_s=film_s + 12.0, recorded_s=(8.0, 8.0 + film_s))
    plan = FilmPlan(flight, seed=seed, n_people=8, n_vehicles=10, fps=8.0, size=(960, 540))
    wrong = Wrong(Faults(yaw_constant_rad=np.deg2rad(_YAW_OFF_DEG), late_s=_LATE_S, blip=True), CONSUMER)
    at = folder / FOLDER
    if write(plan, at, wrong, progress=lambda step, done, n: tell(f"{step} drone", done, n), stopped=stopped) is None:
        return None
    job = DroneJob(
        video=at / VIDEO,
        log=at / LOG,
        folder=folder / PLACES,
        options=DroneOptions(fov_deg=plan.fov_deg, time_offset="auto", kf_learn=True),
        exports=("csv", "geojson", "kml"),
    )
    result = locate(job, lambda step, done, n: tell(f"{step} drone", done, n), stopped)
    _draw(at, result.tracks, privacy)
    return _measured(result, Parquet().read(at / TRUTH))


def _draw(folder: Path, tracks: Tracks, privacy: Privacy) -> None:
    """The video with boxes, and a picture of it from when most is going on."""
    busiest = int(np.bincount(tracks.frame_index).argmax())
    with AnnotatedVideo(
        folder / "annotated.mp4", trail_s=0.0, privacy=privacy
    ) as film:  # trails would slide with the camera
        for frame in Video(folder / VIDEO).frames():
            film.add(frame, tracks.rows(tracks.frame_index == frame.moment.index))
    planes = next(p for p in Video(folder / "annotated.mp4").planes() if p.moment.index >= busiest)
    with whole(folder / "still.jpg") as path:
        path.write_bytes(encoded(planes, quality=88))


def _measured(result: DroneResult, truth: Tracks) -> FlightOutcome:
    """The places against the truth."""
    places, tracks = result.placed.positions, result.tracks
    xyz = places.xyz_enu_m
    if places.origin is not None:
        xyz = enu_from_wgs84(ORIGIN, *wgs84_from_enu(places.origin, xyz))
    same = _pairs(tracks, truth)
    paired = (same >= 0) & places.is_known
    off = np.hypot(*(xyz[paired] - truth.extra["ground_enu_m"][same[paired]])[:, :2].T)
    circle = ce90_m(places.cov_enu_m2[:, :2, :2])
    numbers, which = np.unique(tracks.number, return_inverse=True)
    share = np.bincount(which, same >= 0) / np.maximum(np.bincount(which), 1)
    median, p90 = (float(np.quantile(off, q)) if len(off) else float("nan") for q in (0.5, 0.9))
    inside = float((off < circle[paired]).mean()) if len(off) else float("nan")
    told = float(np.nanmedian(circle))
    return FlightOutcome(
        n_tracks=len(numbers),
        n_true=int((share > 0.5).sum()),
        median_m=median,
        p90_m=p90,
        told_m=told,
        inside=inside,
        yaw_constant_deg=float(np.rad2deg(result.aim.looks.constant_rad)),
        part=CameraPart(
            name="drone",
            video=f"{FOLDER}/annotated.mp4",
            still=f"{FOLDER}/still.jpg",
            numbers=(
                Number("off, median", f"{median:.2f} m"),
                Number("off, 9 in 10", f"{p90:.2f} m"),
                Number("90 % circle", f"{told:.2f} m"),
                Number.percent("in their circle", inside),
                Number.count("things followed", len(numbers)),
            ),
            ground=GroundMap(
                truth=_ways(truth),
                found=Trail.each(tracks.number, xyz[:, :2]),
                caption="From the drone's video and its log alone: found ways in colour over the true ones in grey, "
                "metres east and north of the take-off.",
            ),
            files=tuple(f"{PLACES}/{path.name}" for path in result.files),
            warnings=tuple(result.story["warnings"]),
        ),
    )


def _pairs(tracks: Tracks, truth: Tracks) -> Int[np.ndarray, " n"]:
    """The row of the truth that each sighting is of; -1: of nothing that is there."""
    same = np.full(len(tracks), -1)
    for index in np.unique(tracks.frame_index):
        rows, there = np.flatnonzero(tracks.frame_index == index), np.flatnonzero(truth.frame_index == index)
        if len(there):
            overlap = iou(tracks.xyxy_px[rows], truth.xyxy_px[there])
            same[rows] = np.where(overlap.max(axis=1) > _SAME, there[overlap.argmax(axis=1)], -1)
    return same


def _ways(truth: Tracks) -> tuple[Trail, ...]:
    """Where those went that moved."""
    moves: Bool[np.ndarray, " n"] = np.hypot(*truth.extra["velocity_enu_mps"][:, :2].T) > 0.3
    xy: Float[np.ndarray, "n 2"] = truth.extra["ground_enu_m"][moves, :2]
    return Trail.each(truth.number[moves], xy)
