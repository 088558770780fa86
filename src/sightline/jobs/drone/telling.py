"""What a client and a reader are told of places: how they came about, and the service's answer."""

from typing import Any

import numpy as np

from sightline.estimation.circle import ce90_m
from sightline.formats.drone_answer import Answer
from sightline.jobs.drone.options import DroneOptions
from sightline.jobs.drone.reading import Given
from sightline.locators.depth import Agreement, Size
from sightline.model.flight import Flight
from sightline.pipeline.drone import Aim, Clip, Placed, Wishes, aircraft


def story_of(
    options: DroneOptions, clip: Clip, aim: Aim, given: Given, found: Placed, wishes: Wishes
) -> dict[str, Any]:
    """How the places came about; None for what is not known."""
    across = aim.lens.focal_px[0]
    n_placed = int(found.positions.is_known.sum())
    return {
        "video": {"width": clip.width, "height": clip.height, "duration_s": clip.duration_s},
        "log": aim.flight.log,
        "recording": aim.alignment.how,
        "log_from_video_s": round(aim.alignment.log_from_video_s, 3),
        "log_from_video_sd_s": round(wishes.doubts.time_s if options.time_offset == "auto" else aim.alignment.sd_s, 3),
        "yaw_source": aim.looks.source,
        "yaw_constant_deg": _degrees(aim.looks.constant_rad),
        "fov_deg": round(float(np.rad2deg(2 * np.arctan(clip.width / 2 / across))), 2),
        "boxes_in": {"width": given.size[0], "height": given.size[1]},
        "ground": f"level, {options.ground_m:g} m above take-off" if wishes.elevations is None else "elevation model",
        "anchor": options.anchor,
        "filter": {
            "sigma_a": found.noise.sigma_a,
            "sigma_meas_h": found.noise.sigma_meas_h,
            "sigma_meas_v": found.noise.sigma_meas_v,
            "learnt": options.kf_learn,
            "smooth": options.smooth,
        },
        "tracks": len(np.unique(given.tracks.number)),
        "rows": len(given.tracks),
        "placed": n_placed,
        "ce90_m": _middle(ce90_m(found.positions.cov_enu_m2[:, :2, :2])),
        "unplaced": dict(found.unplaced),
    }


def told_depth(size: Size, agreed: Agreement) -> dict[str, Any]:
    """What depth maps told, and how far that is from what rays to the ground do; None for what is not known."""
    values = {
        "metres_per_unit": size.metres,
        "share_sd": size.sd,
        "by_way_flown": size.by_flight.metres,
        "by_height": size.by_ground.metres,
        "rows_by_both": agreed.n,
        "apart_median_m": agreed.median_m,
        "apart_p90_m": agreed.p90_m,
        "apart_up_m": agreed.up_m,
    }
    return {name: value if np.isfinite(value) else None for name, value in values.items()}


def answer_of(
    options: DroneOptions, clip: Clip, aim: Aim, given: Given, found: Placed, story: dict[str, Any]
) -> Answer:
    """The service's answer."""
    frames, t_s = _frames(options, clip, given)
    flown = aircraft(aim, frames, t_s) if options.include_aircraft else None
    yaw = None if flown is None else _yaw_rad(aim, t_s)
    return Answer(
        metadata=_metadata(options, clip, aim, given, found, story, len(frames)),
        tracks=given.told,
        positions=found.positions,
        depth_m=found.depth_m,
        entries=given.entries,
        aircraft=flown,
        aircraft_yaw_rad=yaw,
        null_heading=options.null_heading,
    )


def home_of(aim: Aim) -> dict[str, float]:
    """What metres are counted from: the take-off, and its height above the sea as far as the log tells, else 0."""
    origin = aim.ground.origin
    lat, lon = round(origin.lat_deg, 9), round(origin.lon_deg, 9)
    return {"latitude": lat, "longitude": lon, "altitude": round(_takeoff_sea_m(aim.flight), 3)}


def _takeoff_sea_m(flight: Flight) -> float:
    """By the heights that rows have above both; by the log's word on home; 0 where it does not say."""
    level = flight.height_sea_m - flight.height_takeoff_m
    if np.isfinite(level).any():
        return float(np.nanmedian(level))
    return 0.0 if flight.home is None else flight.home.height_m


def _metadata(
    options: DroneOptions, clip: Clip, aim: Aim, given: Given, found: Placed, story: dict[str, Any], n_frames: int
) -> dict[str, Any]:
    size = {"width": given.size[0], "height": given.size[1]}
    noise = found.noise
    return {
        "source_resolution": size,
        "depth_resolution": {"height": clip.height, "width": clip.width},
        "fps": _rate(options, given),
        "total_frames": n_frames,
        "home_position": home_of(aim),
        "kalman_filter": {
            "enabled": True,
            "sigma_a": noise.sigma_a,
            "sigma_meas_h": noise.sigma_meas_h,
            "sigma_meas_v": noise.sigma_meas_v,
            "smooth": options.smooth,
        },
        "depth_source": "ground" if found.agreed is None else "scene, ground where it has none",
        "story": story,
        "warnings": story["warnings"],
    }


def _rate(options: DroneOptions, given: Given) -> float | None:
    """Pictures per second of the tracks, as their times show; of a single picture, as told."""
    frames, first = np.unique(given.tracks.frame_index, return_index=True)
    t_s = given.tracks.t_s[first]
    if len(frames) < 2 or not t_s[-1] > t_s[0]:
        return options.tracking_fps or options.fps
    return round(float((frames[-1] - frames[0]) / (t_s[-1] - t_s[0])), 3)


def _frames(options: DroneOptions, clip: Clip, given: Given) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and times of the pictures that were tracked, those without anything in them too."""
    rate = _rate(options, given)
    seen, first = np.unique(given.tracks.frame_index, return_index=True)
    t_s = given.tracks.t_s[first]
    if rate is None or not clip.duration_s:
        return seen, t_s
    every = np.arange(max(int(clip.duration_s * rate + 1e-3), int(seen[-1]) + 1))
    return every, t_s[0] + (every - seen[0]) / rate


def _yaw_rad(aim: Aim, t_s: np.ndarray) -> np.ndarray:
    """The aircraft's heading at these seconds of the video; the camera's where the log has none."""
    yaw = aim.flight.aircraft.yaw_rad
    known = np.isfinite(yaw)
    if not known.any():
        yaw, known = aim.looks.yaw_rad, np.isfinite(aim.looks.yaw_rad)
    at_s = t_s + aim.alignment.log_from_video_s
    return np.interp(at_s, aim.flight.t_s[known], np.unwrap(yaw[known]), left=np.nan, right=np.nan)


def _middle(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 1) if len(known) else None


def _degrees(radians: float) -> float | None:
    return None if np.isnan(radians) else round(float(np.rad2deg(radians)), 2)
