"""A filmed flight as files: the video, the log and the subtitles as the aircraft writes them, and the truth."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

import sightline
from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.formats.annotated_video import AnnotatedVideo
from sightline.formats.parquet import Parquet
from sightline.locators.doubts import Doubts
from sightline.model.flight import Flight
from sightline.model.tracks import Tracks
from sightline.simulation.flight.faults import NONE, Faults, faulty, noisy, rows_of
from sightline.simulation.flight.logs import write as write_log
from sightline.simulation.flight.paths import ORIGIN
from sightline.simulation.flight.rendered.film import NAME, Film, FilmPlan

VIDEO, LOG, SUBTITLES, TRUTH, ABOUT = "flight.mp4", "log.csv", "flight.srt", "truth.parquet", "flight.json"
"""What the files are called."""
STEP = "filming"
"""Under which name progress is told."""
_QUALITY = 20
_LOG_SEED = 3


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with the log."""

    faults: Faults = field(default_factory=Faults)
    """Constants, flags, gaps."""
    doubts: Doubts = NONE
    """Errors in place, height and angles, one draw for the whole flight."""
    dialect: str = "log_parser"
    """The notation, one of ``logs.DIALECTS``."""


class _StoppedError(Exception):
    """The work was asked to end before it was done."""


def write(
    plan: FilmPlan, folder: Path, wrong: Wrong = Wrong(), *, progress: Tell, stopped: Stopped
) -> list[Path] | None:
    """The files, those that were there replaced; None when ``stopped``, without video and truth then.

    ``flight.mp4``; ``log.csv`` in the notation asked for; ``flight.srt`` with the gimbal's angles, in the video's own
    time; ``truth.parquet``: boxes of all movers with ``ground_enu_m``, ``velocity_enu_mps`` and ``visibility``;
    ``flight.json``: plan, lens and origin.

    Raises:
        EngineError: no encoder works here.
        OSError: a file cannot be written.
    """
    video, log, subtitles, truth, about = (folder / name for name in (VIDEO, LOG, SUBTITLES, TRUTH, ABOUT))
    told = logged(plan, wrong)
    first, last = plan.flight.recorded_s
    shown = rows_of(told, (told.t_s >= first) & (told.t_s <= last))
    write_log(log, told, wrong.dialect)
    write_log(subtitles, replace(shown, t_s=shown.t_s - first), "srt")
    parts = []
    with suppress(_StoppedError):
        with AnnotatedVideo(video, trail_s=0.0, quality=_QUALITY) as film:
            for done, (frame, rows) in enumerate(Film(plan).shots(), start=1):
                film.add(frame, Tracks.none(NAME))
                parts.append(rows)
                progress(STEP, done, len(plan.times_s))
                if stopped():
                    raise _StoppedError
        Parquet().write(Tracks.joined(NAME, parts), truth)
        with whole(about) as file:
            file.write_text(json.dumps(_about(plan, wrong), indent=1) + "\n", encoding="utf-8")
        return [video, log, subtitles, truth, about]
    return None


def logged(plan: FilmPlan, wrong: Wrong = Wrong()) -> Flight:
    """What the log says of the flight."""
    rng = np.random.default_rng((plan.seed, _LOG_SEED))
    return faulty(noisy(plan.flight.log(), wrong.doubts, rng), wrong.faults, rng)


def _about(plan: FilmPlan, wrong: Wrong) -> dict[str, object]:
    """What a program needs to know of the flight."""
    return {
        "version": sightline.__version__,
        "origin": {"lat_deg": ORIGIN.lat_deg, "lon_deg": ORIGIN.lon_deg, "height_m": ORIGIN.height_m},
        "plan": asdict(plan),
        "log": asdict(wrong),
        "lens": {"fov_deg": plan.fov_deg, "px_from_cam": plan.lens.px_from_cam.tolist()},
    }
