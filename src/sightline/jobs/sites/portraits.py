"""Who was seen, as pictures: everybody as each camera saw them best, and each camera when most was going on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import simplejpeg
from jaxtyping import Float, Int, UInt8

from sightline.errors import SourceError
from sightline.estimation.circle import ce90_m
from sightline.executors.local import Stopped, Tell
from sightline.formats.drawing import drawn
from sightline.formats.privacy import Privacy, blurred
from sightline.jobs.footage import is_live
from sightline.model.arrays import Boxes, Image
from sightline.model.frame import Frame
from sightline.model.site import Site
from sightline.model.tracks import UNTRACKED, Tracks
from sightline.sources.video import Video

_COLUMNS = (
    "moment", "t_s", "camera", "identity", "global_id", "score", "whole",
    "left", "top", "right", "bottom", "xx_m2", "xy_m2", "yy_m2",
)  # fmt: skip
_HIGH_PX = 300.0
"""Taller boxes show no more of anybody."""
_AROUND = 0.12
"""Of a box's height that is shown around it."""
_PORTRAIT_PX, _STILL_PX = 240, 960
"""Height of a portrait and width of a camera's picture, at most."""
_QUALITY = 82
_TOLD = 1000
"""Rows of a piece of the file that tell how sure places are."""
_SOON_S = 2.0
"""A picture that has not come so long after its moment is not there."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One part of the recordings."""

    videos: Mapping[str, str]
    """By camera, its path or address."""
    first: int
    """The moment that it begins with."""
    fps: float
    """Moments per second."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Boxes of one camera at moments that are worth a picture, K of them."""

    moment: Int[np.ndarray, " k"]
    """When."""
    identity: Int[np.ndarray, " k"]
    """Whose."""
    xyxy_px: Boxes
    """Where."""


@dataclass(frozen=True, slots=True)
class Stay:
    """When somebody was there."""

    name: str
    """The id that they have."""
    first_s: float
    """The second of the site's clock in which they were seen first."""
    last_s: float
    """The one in which they were seen last."""
    n_s: int
    """In how many seconds any camera saw them."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What files of sightings say of who is worth a picture."""

    stays: Mapping[int, Stay]
    """Everybody, those who were there longest first."""
    best: Mapping[str, Chosen]
    """By camera, everybody's best box."""
    busiest: Mapping[str, Chosen]
    """By camera, the boxes of people at the moment that has most of them."""
    all_px: Mapping[tuple[str, int], Boxes]
    """All boxes, of people and nobody, of the cameras at those moments: what is to be covered."""
    n_sightings: Mapping[str, int]
    """By camera, of anybody or nobody."""
    per_second: Mapping[str, tuple[Float[np.ndarray, " s"], Int[np.ndarray, " s"]]]
    """By camera, seconds of the site's clock in which somebody was seen, and how many different people."""
    ce90_m: float
    """Radius of the circle that holds a box's true place in nine cases of ten, the middle one; NaN: no places."""


def gathered(sightings: Path, cameras: Sequence[str]) -> Gathered:
    """Reads ``sightings.parquet`` from beginning to end, in little memory.

    The best box lies wholly in the picture, is tall, and the detector was sure of it.
    """
    best: dict[str, dict[int, tuple[float, int, tuple[float, ...]]]] = {name: {} for name in cameras}
    busiest: dict[str, Chosen] = {}
    count = dict.fromkeys(cameras, 0)
    circles_m = [np.zeros(0)]
    names: dict[int, str] = {}
    present: dict[str, list[np.ndarray]] = {name: [np.zeros((0, 2), np.int64)] for name in cameras}
    for rows in _batches(sightings):
        circles_m.append(_circles_m(rows))
        who, first = np.unique(rows["identity"], return_index=True)
        named = zip(who.tolist(), rows["global_id"][first].tolist(), strict=True)
        names |= {number: name for number, name in named if number > 0}
        for name in cameras:
            mine = rows["camera"] == name
            count[name] += int(mine.sum())
            some = np.flatnonzero(mine & (rows["identity"] > 0))
            if not len(some):
                continue
            boxes = np.column_stack([rows[side][some] for side in ("left", "top", "right", "bottom")])
            seconds = np.floor(rows["t_s"][some]).astype(np.int64)
            present[name].append(np.unique(np.column_stack([seconds, rows["identity"][some]]), axis=0))
            here = Chosen(rows["moment"][some], rows["identity"][some], boxes)
            _take_best(best[name], here, rows["score"][some] * np.where(rows["whole"][some], 1.0, 0.2))
            most = _busiest(here)
            if name not in busiest or len(most.moment) > len(busiest[name].moment):
                busiest[name] = most
    chosen = {name: _chosen(found) for name, found in best.items() if found}
    known = np.concatenate(circles_m)
    counted = {name: _counted(np.concatenate(several)) for name, several in present.items()}
    moments = {
        name: np.concatenate([one[name].moment for one in (chosen, busiest) if name in one] or [np.zeros(0, np.int64)])
        for name in cameras
    }
    return Gathered(
        _stays(np.concatenate([pairs for several in present.values() for pairs in several]), names),
        chosen,
        busiest,
        _boxes_at(sightings, moments),
        count,
        counted,
        float(np.median(known)) if len(known) else float("nan"),
    )


def portraits(
    site: Site, found: Gathered, parts: Sequence[Watched], privacy: Privacy, tell: Tell, stopped: Stopped
) -> Iterator[tuple[int, str, bytes]]:
    """Identity, camera and JPEG, as far as recordings are still there."""
    total, done = sum(len(one.moment) for one in found.best.values()), 0
    for camera, boxes in found.best.items():
        for k in np.argsort(boxes.moment, kind="stable"):
            if stopped():
                return
            frame = _picture(site, parts, camera, int(boxes.moment[k]))
            if frame is not None:
                covered = blurred(frame.rgb, found.all_px[camera, int(boxes.moment[k])], privacy)
                shown = _cut(covered, boxes.xyxy_px[k])
                if shown is not None:
                    yield int(boxes.identity[k]), camera, _jpeg(shown, height=_PORTRAIT_PX)
            done += 1
            tell("picking pictures of everybody", done, total)


def still(site: Site, camera: str, found: Gathered, parts: Sequence[Watched], privacy: Privacy) -> bytes | None:
    """The picture of a camera at its busiest with everybody in a box, as JPEG; None where it cannot be had."""
    boxes = found.busiest.get(camera)
    frame = _picture(site, parts, camera, int(boxes.moment[0])) if boxes is not None else None
    if boxes is None or frame is None:
        return None
    n = len(boxes.moment)
    rows = Tracks(
        camera, boxes.moment, np.full(n, np.nan), boxes.identity, boxes.xyxy_px, np.ones(n), np.full(n, UNTRACKED),
        np.arange(n), (),
    )  # fmt: skip
    covered = blurred(frame.rgb, found.all_px[camera, int(boxes.moment[0])], privacy)
    return _jpeg(drawn(covered, rows), width=_STILL_PX)


def _batches(path: Path) -> Iterator[dict[str, np.ndarray]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=list(_COLUMNS)):
            yield {name: batch[name].to_numpy(zero_copy_only=False) for name in _COLUMNS}


def _boxes_at(sightings: Path, moments: Mapping[str, Int[np.ndarray, " k"]]) -> dict[tuple[str, int], Boxes]:
    """All boxes at moments of cameras."""
    found: dict[tuple[str, int], list[Boxes]] = {}
    for rows in _batches(sightings):
        for name, wanted in moments.items():
            for k in np.flatnonzero((rows["camera"] == name) & np.isin(rows["moment"], wanted)).tolist():
                box = np.array([[rows[side][k] for side in ("left", "top", "right", "bottom")]], np.float64)
                found.setdefault((name, int(rows["moment"][k])), []).append(box)
    return {key: np.concatenate(boxes) for key, boxes in found.items()}


def _stays(present: Int[np.ndarray, "n 2"], names: Mapping[int, str]) -> dict[int, Stay]:
    """Of seconds and people."""
    by_person = np.unique(present[:, ::-1], axis=0)
    who, first, count = np.unique(by_person[:, 0], return_index=True, return_counts=True)
    stays = {}
    for k in np.argsort(-count, kind="stable").tolist():
        begin, end = by_person[first[k], 1], by_person[first[k] + count[k] - 1, 1]
        stays[int(who[k])] = Stay(names[int(who[k])], float(begin), float(end), int(count[k]))
    return stays


def _counted(present: Int[np.ndarray, "n 2"]) -> tuple[Float[np.ndarray, " s"], Int[np.ndarray, " s"]]:
    """Of seconds and people, how many people each second has."""
    second, count = np.unique(np.unique(present, axis=0)[:, 0], return_counts=True)
    return second.astype(np.float64), count


def _circles_m(rows: Mapping[str, np.ndarray]) -> Float[np.ndarray, " k"]:
    """Those of some of the rows that are somebody's and have a place: enough to tell the middle one."""
    some = np.flatnonzero((rows["identity"] > 0) & np.isfinite(rows["xx_m2"]))
    some = some[:: max(len(some) // _TOLD, 1)]
    xx, xy, yy = (rows[name][some] for name in ("xx_m2", "xy_m2", "yy_m2"))
    return ce90_m(np.stack([np.stack([xx, xy], -1), np.stack([xy, yy], -1)], -2))


def _take_best(best: dict[int, tuple[float, int, tuple[float, ...]]], here: Chosen, sure: np.ndarray) -> None:
    """Keeps whatever is better than what was there."""
    worth = sure * np.minimum(here.xyxy_px[:, 3] - here.xyxy_px[:, 1], _HIGH_PX)
    order = np.lexsort((-worth, here.identity))
    who, first = np.unique(here.identity[order], return_index=True)
    for identity, row in zip(who.tolist(), order[first].tolist(), strict=True):
        if identity not in best or worth[row] > best[identity][0]:
            best[identity] = (float(worth[row]), int(here.moment[row]), tuple(here.xyxy_px[row].tolist()))


def _busiest(here: Chosen) -> Chosen:
    moment, count = np.unique(here.moment, return_counts=True)
    most = here.moment == moment[count.argmax()]
    return Chosen(here.moment[most], here.identity[most], here.xyxy_px[most])


def _chosen(best: Mapping[int, tuple[float, int, tuple[float, ...]]]) -> Chosen:
    identity = np.array(list(best), np.int64)
    moment = np.array([moment for _, moment, _ in best.values()], np.int64)
    return Chosen(moment, identity, np.array([box for _, _, box in best.values()], np.float64).reshape(-1, 4))


def _picture(site: Site, parts: Sequence[Watched], camera: str, moment: int) -> Frame | None:
    """What a camera saw at a moment; None where it is a stream, or gone."""
    part = next((one for one in reversed(parts) if one.first <= moment), None)
    address = part.videos.get(camera) if part is not None else None
    if part is None or address is None or is_live(address):
        return None
    offset_s = next(watch.offset_s for watch in site.watches if watch.id == camera)
    t_s = (moment - part.first) / part.fps - offset_s
    half_s = 0.5 / part.fps
    try:
        video = Video(Path(address), camera=camera, start_s=max(t_s - half_s, 0.0), end_s=max(t_s, 0.0) + _SOON_S)
        return next(iter(video.frames()), None)
    except SourceError:
        return None


def _cut(rgb: Image, xyxy_px: Float[np.ndarray, " 4"]) -> UInt8[np.ndarray, "down across 3"] | None:
    """The box and a little around it."""
    around = _AROUND * (xyxy_px[3] - xyxy_px[1])
    low = np.floor(np.maximum(xyxy_px[:2] - around, 0)).astype(np.int64)
    high = np.ceil(np.minimum(xyxy_px[2:] + around, rgb.shape[1::-1])).astype(np.int64)
    if not (high > low).all():
        return None
    return np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]])


def _jpeg(rgb: Image, *, height: int | None = None, width: int | None = None) -> bytes:
    """Made smaller where it is larger than that."""
    scale = min((height or rgb.shape[0]) / rgb.shape[0], (width or rgb.shape[1]) / rgb.shape[1], 1.0)
    size = max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1)
    smaller = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    return simplejpeg.encode_jpeg(np.ascontiguousarray(smaller), quality=_QUALITY, colorspace="RGB")
