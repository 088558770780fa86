"""A simulation as files: a video and its truth for each camera, and what all of them share."""

import json
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from pyarrow import csv

import sightline
from sightline.executors.local import Stopped, Tell, each
from sightline.files import whole
from sightline.formats.annotated_video import AnnotatedVideo
from sightline.formats.mot import Mot
from sightline.formats.parquet import Parquet
from sightline.geometry import camera as lens
from sightline.geometry.homography import map_from_px
from sightline.model.camera import Camera
from sightline.model.tracks import Tracks
from sightline.simulation.motion.trajectories import CLASSES
from sightline.simulation.plan import Plan
from sightline.simulation.truth import as_mot, joined
from sightline.simulation.world import Simulation

_QUALITY = 20


class _StoppedError(Exception):
    """The work was asked to end before it was done."""


def write(
    simulation: Simulation,
    folder: Path,
    *,
    workers: int = 1,
    progress: Tell | None = None,
    stopped: Stopped | None = None,
) -> list[Path]:
    """The files of a simulation, in this order; those that were there are replaced.

    ``site.json`` (cameras, homographies, origin, plan), ``site.toml`` (as a site), ``map.png`` (from above),
    ``movers.csv`` (everyone's way in metres), and for each camera ``NAME.mp4``, ``NAME.gt.txt`` (MOT truth; confidence
    0 for what can hardly be seen) and ``NAME.truth.parquet`` (all columns). Each is whole or not there. Memory does
    not grow with the duration, but for the truth. With ``workers`` the cameras are shared out among so many processes.

    Raises:
        KeyboardInterrupt: ``stopped`` said so; the files that were not finished are not there.
        EngineError: no encoder works here, or a worker died.
        OSError: a file cannot be written.
    """
    names = [camera.name for camera in simulation.cameras]
    tell, asked = progress or (lambda *_: None), stopped or (lambda: False)
    files = [*write_site(simulation, folder), *(path for name in names for path in _files(folder, name))]
    each(partial(_film, simulation.plan, folder), names, workers=workers, tell=tell, stopped=asked)
    if asked():
        raise KeyboardInterrupt
    return files


def write_camera(
    simulation: Simulation,
    camera: str,
    folder: Path,
    *,
    progress: Tell | None = None,
    stopped: Stopped | None = None,
) -> None:
    """The video of one camera, and its truth.

    Raises:
        _StoppedError: ``stopped`` said so; no file is left half.
        EngineError: no encoder works here.
        OSError: a file cannot be written.
    """
    total, parts = simulation.plan.n_frames, []
    video, mot, parquet = _files(folder, camera)
    with AnnotatedVideo(video, trail_s=0.0, quality=_QUALITY) as film:
        _go_on(stopped, camera)
        for done, (frame, rows) in enumerate(simulation.recording(camera), start=1):
            film.add(frame, Tracks.none(camera))
            parts.append(rows)
            if progress is not None:
                progress(camera, done, total)
            _go_on(stopped, camera)
    truth = joined(camera, parts)
    Mot().write(as_mot(truth), mot)
    Parquet().write(truth, parquet)


def _go_on(stopped: Stopped | None, what: str) -> None:
    """Raises when somebody wants the work to end."""
    if stopped is not None and stopped():
        raise _StoppedError(what)


def write_site(simulation: Simulation, folder: Path) -> list[Path]:
    """What all cameras share: ``site.json``, ``site.toml``, ``map.png`` and ``movers.csv``."""
    about, site, above, movers = (folder / name for name in ("site.json", "site.toml", "map.png", "movers.csv"))
    seen_from_above = simulation.map_rgb()
    with whole(site) as file:
        file.write_text(_as_site(simulation, seen_from_above.shape), encoding="utf-8")
    with whole(about) as file:
        file.write_text(json.dumps(_about(simulation), indent=1) + "\n")
    with whole(above) as file:
        encoded = cv2.imencode(".png", cv2.cvtColor(seen_from_above, cv2.COLOR_RGB2BGR))[1]
        file.write_bytes(encoded.tobytes())
    with whole(movers) as file:
        csv.write_csv(_movers(simulation), str(file))
    return [about, site, above, movers]


def _files(folder: Path, camera: str) -> tuple[Path, Path, Path]:
    """Video, MOT truth and full truth of a camera."""
    return folder / f"{camera}.mp4", folder / f"{camera}.gt.txt", folder / f"{camera}.truth.parquet"


def _about(simulation: Simulation) -> dict[str, Any]:
    """What a program needs to know of the site and its cameras."""
    site, plan = simulation.site, simulation.plan
    lat, lon = site.origin_lat_lon_deg
    return {
        "version": sightline.__version__,
        "site": site.name,
        "origin": {"lat_deg": lat, "lon_deg": lon},
        "map": {"file": "map.png", "low_m": list(site.low_m), "high_m": list(site.high_m)},
        "plan": {name: getattr(plan, name) for name in plan.__dataclass_fields__},
        "classes": list(CLASSES),
        "cameras": [_camera(camera) for camera in simulation.cameras],
    }


def _as_site(simulation: Simulation, picture_shape: tuple[int, ...]) -> str:
    """The site as people write theirs, its videos beside the file."""
    lat, lon = simulation.site.origin_lat_lon_deg
    low, high = np.array(simulation.site.low_m), np.array(simulation.site.high_m)
    across, down = np.array([picture_shape[1], picture_shape[0]]) / (high - low)
    to_picture = [[across, 0.0, -low[0] * across], [0.0, -down, high[1] * down]]
    lines = [f'id = "simulated"\nname = {json.dumps(simulation.site.name)}\n\n[map]\nmetres_per_unit = 1.0']
    lines.append(f'picture = "map.png"\npicture_from_map = {json.dumps(to_picture)}')
    lines.append(f"anchor = {{ lat_deg = {lat}, lon_deg = {lon} }}")
    for camera in simulation.cameras:
        rows = json.dumps(map_from_px(camera).tolist())
        lines.append(f'\n[[cameras]]\nid = "{camera.name}"\nvideos = ["{camera.name}.mp4"]')
        lines.append(f"size = [{camera.width}, {camera.height}]\nmap_from_px = {rows}")
    return "\n".join(lines) + "\n"


def _camera(camera: Camera) -> dict[str, Any]:
    """One camera's lens, pose and homography."""
    return {
        "name": camera.name,
        "video": f"{camera.name}.mp4",
        "truth": f"{camera.name}.gt.txt",
        "width": camera.width,
        "height": camera.height,
        "eye_enu_m": lens.eye(camera).round(9).tolist(),
        "px_from_cam": camera.px_from_cam.tolist(),
        "cam_from_enu": camera.cam_from_enu.tolist(),
        "map_from_px": map_from_px(camera).tolist(),
    }


def _movers(simulation: Simulation) -> pa.Table:
    """Everyone who is on the site, picture by picture."""
    of = simulation.trajectories
    frame, who = np.nonzero(of.present)
    names = pa.array(CLASSES).take(pa.array(of.label[who]))
    columns = {
        "frame_index": frame,
        "t_s": of.t_s[frame],
        "identity": who + 1,
        "class": names,
        "east_m": of.xy_enu_m[frame, who, 0],
        "north_m": of.xy_enu_m[frame, who, 1],
        "heading_rad": of.heading_rad[frame, who],
        "speed_mps": of.speed_mps[frame, who],
    }
    return pa.table(columns)


def _film(plan: Plan, folder: Path, camera: str, tell: Tell, stopped: Stopped) -> None:
    """One camera's files, wherever this runs; none when stopped."""
    with suppress(_StoppedError):
        write_camera(_remembered(plan), camera, folder, progress=tell, stopped=stopped)


@lru_cache(maxsize=1)
def _remembered(plan: Plan) -> Simulation:
    """The simulation, kept for this process' next camera."""
    return Simulation(plan)
