"""Tracking JSON: one flat list of sightings, as drone geolocation services take it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int

from sightline.errors import FormatError, OptionError
from sightline.files import whole
from sightline.formats.columns import BOX, refuse, tracks_from
from sightline.formats.json_rows import (
    Where,
    boxes,
    column,
    document,
    kind_of,
    objects,
    other_keys,
    real_numbers,
    shown,
    texts,
    values,
    whole_numbers,
    write_entries,
)
from sightline.model.tracks import Tracks

_CALLED = {"frame_index": "frame_id", "track": "track_id", **dict.fromkeys(BOX, "bbox"), "score": "confidence"}
_OURS = {"frame_id", "track_id", "bbox", "confidence", "class_name", "t_s", "detection"}

_HUGE = 1e9
"""No picture is as wide, and no camera as fast."""


@final
class TrackingJson:
    """``{"metadata": {...}, "tracks": [{"frame_id", "track_id", "bbox": [x1, y1, x2, y2], "confidence", ...}]}``.

    ``frame_id`` counts from 0. ``metadata`` holds ``camera``, and ``source_resolution`` and ``fps`` where known.
    An extra column is a further key of each entry, and so comes back; a value that is NaN or None is left out.
    """

    def __init__(
        self,
        *,
        camera: str | None = None,
        width: int | None = None,
        height: int | None = None,
        fps: float | None = None,
    ) -> None:
        """``width`` and ``height`` are those of the pictures that boxes are in, ``fps`` their rate.

        All are written down. In reading, a file whose ``source_resolution`` is another has its boxes scaled, and
        ``camera`` and ``fps`` stand in for what the file says.

        Raises:
            OptionError: a size or rate that is not above 0, or a width without a height.
        """
        if (width is None) != (height is None):
            raise OptionError("tracking_json: give both width and height, or neither")
        for name, given in (("width", width), ("height", height), ("fps", fps)):
            if given is not None and not 0 < given < np.inf:
                raise OptionError(f"tracking_json: {name} must be above 0, not {given}")
        self._camera, self._fps = camera, fps
        self._size = None if width is None or height is None else (width, height)

    def write(self, tracks: Tracks, path: Path) -> None:
        """Puts the tracks into the file, one entry per line.

        Raises:
            FormatError: a number that JSON cannot say, or an extra column that has the name of a key of ours.
            OSError: the file cannot be written; nothing is left under its name then.
        """
        taken = [name for name in tracks.extra if name in _OURS]
        if taken:
            raise FormatError(f"{path}: extra column {taken[0]!r} has the name of a key of the format; rename it")
        about: dict[str, Any] = {"camera": tracks.camera}
        if self._size:
            about["source_resolution"] = {"width": self._size[0], "height": self._size[1]}
        if self._fps:
            about["fps"] = self._fps
        columns = {
            "frame_id": tracks.frame_index,
            "track_id": tracks.number,
            "bbox": tracks.xyxy_px,
            "confidence": tracks.score,
            "class_name": np.array([*tracks.classes, ""])[tracks.label],
            "t_s": tracks.t_s,
            "detection": tracks.detection,
            **tracks.extra,
        }
        with whole(path) as partial, partial.open("w", encoding="utf-8") as stream:
            try:
                stream.write(f'{{"metadata":{json.dumps(about, ensure_ascii=False)},"tracks":[\n')
                write_entries(stream, columns, len(tracks))
            except (ValueError, TypeError) as error:
                raise FormatError(f"{path}: not to be said in JSON: {error}") from None
            stream.write("\n]}\n")

    def read(self, path: Path) -> Tracks:
        """The tracks in the file, oldest picture first. A bare list of entries is taken too.

        ``id`` stands in for ``track_id``, ``confidence`` is 1 and ``class_name`` "object" where it is null or absent.
        Times are the entries' ``t_s``, else ``frame_id / fps``, else NaN. Other keys come back as extra columns;
        an entry without one holds None there, or NaN among fractions.

        Raises:
            FormatError: names the file, the entry and the key, and what was expected there.
            OSError: the file cannot be read.
        """
        found = document(path)
        about, entries = _opened(found, path)

        def where(k: int) -> str:
            return f"{path}: tracks[{k}]"

        xyxy = boxes(values(entries, "bbox", where), "bbox", "[x1, y1, x2, y2]", where) * self._scale(path, about)
        columns = {
            "frame_index": whole_numbers(values(entries, "frame_id", where), "frame_id", where),
            "track": _numbers(entries, where),
            **{name: xyxy[:, k] for k, name in enumerate(BOX)},
            "score": real_numbers(_or(entries, "confidence", 1.0), "confidence", where),
            "t_s": real_numbers([entry.get("t_s") for entry in entries], "t_s", where),
        }
        if any("detection" in entry for entry in entries):
            columns["detection"] = whole_numbers(values(entries, "detection", where), "detection", where)
        refuse(where, columns, _CALLED)
        fps = self._fps or _rate(about, path)
        if fps:
            columns["t_s"] = np.where(np.isnan(columns["t_s"]), columns["frame_index"] / fps, columns["t_s"])
        named = texts(_or(entries, "class_name", "object"), "class_name", where)
        classes = tuple(dict.fromkeys(named)) or ("object",)
        rank = {name: k for k, name in enumerate(classes)}
        label = np.array(list(map(rank.__getitem__, named)), np.int64)
        ours = _OURS if any("track_id" in entry for entry in entries) else _OURS | {"id"}
        others = other_keys(entries, ours)
        extra = {key: column([entry.get(key) for entry in entries]) for key in others}
        return tracks_from(self._camera or str(about.get("camera", path.stem)), columns, label, classes, extra)

    def _scale(self, path: Path, about: Mapping[str, Any]) -> Float[np.ndarray, " 4"]:
        """What boxes of the file are to be multiplied by."""
        size = about.get("source_resolution")
        if self._size is None or size is None:
            return np.ones(4)
        stated = [size.get(side) if isinstance(size, dict) else None for side in ("width", "height")]
        if not all(isinstance(side, int | float) and 0 < side < _HUGE for side in stated):
            expected = "expected a width and a height above 0"
            raise FormatError(f"{path}: metadata.source_resolution is {shown(size)}, {expected}")
        return np.tile(np.array(self._size, float) / np.array(stated, float), 2)


def _opened(found: Any, path: Path) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """What the file says of itself, and its entries."""
    if isinstance(found, list):
        return {}, objects(found, "tracks", path)
    if not isinstance(found, dict) or "tracks" not in found:
        what = "an object without 'tracks'" if isinstance(found, dict) else kind_of(found)
        raise FormatError(f"{path}: {what}, expected an object with a list 'tracks'")
    about = found.get("metadata") or {}
    if not isinstance(about, dict):
        raise FormatError(f"{path}: 'metadata' is {kind_of(about)}, expected an object")
    return about, objects(found["tracks"], "tracks", path)


def _numbers(entries: list[dict[str, Any]], where: Where) -> Int[np.ndarray, " n"]:
    """The tracks' numbers, from ``track_id`` or ``id``."""
    found = [entry.get("track_id", entry.get("id")) for entry in entries]
    if None in found:
        raise FormatError(f"{where(found.index(None))}: no 'track_id'")
    return whole_numbers(found, "track_id", where)


def _or(entries: list[dict[str, Any]], key: str, otherwise: Any) -> list[Any]:
    """What each entry says under ``key``, and ``otherwise`` where it says nothing or null."""
    return [otherwise if (value := entry.get(key)) is None else value for entry in entries]


def _rate(about: Mapping[str, Any], path: Path) -> float | None:
    """Pictures per second, if the file says."""
    fps = about.get("fps")
    if fps is not None and not (isinstance(fps, int | float) and 0 < fps < _HUGE):
        raise FormatError(f"{path}: metadata.fps is {shown(fps)}, expected a number above 0")
    return None if fps is None else float(fps)
