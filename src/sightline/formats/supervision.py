"""Detections and tracks as those of the ``supervision`` package, and back; it is imported only when called.

Class names are its ``data["class_name"]``; our extra columns are further entries of ``data``.
"""

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from sightline.errors import EngineError
from sightline.model.detections import Detections
from sightline.model.tracks import Tracks

_NAMES, _MASK = "class_name", "mask"
_TRACKER, _DETECTION, _FRAME, _TIME = "tracker_id", "detection", "frame_index", "t_s"


def supervision_from_detections(found: Detections) -> Any:
    """``sv.Detections`` of the same rows, in the same order.

    An extra column ``mask`` (n, height, width) becomes its masks, ``tracker_id`` its tracker ids.

    Raises:
        EngineError: supervision is not installed.
    """
    return _made(found, {name: column for name, column in found.extra.items() if name not in {_MASK, _TRACKER}})


def supervision_from_tracks(tracks: Tracks) -> Any:
    """``sv.Detections`` of the same sightings; their numbers are its ``tracker_id``.

    Meant for the rows of one picture, ``tracks.rows(tracks.frame_index == 7)``, as supervision's zones and
    annotators are; ``data`` has ``frame_index``, ``t_s`` and ``detection`` beside the extra columns.

    Raises:
        EngineError: supervision is not installed.
    """
    times = {_FRAME: tracks.frame_index, _TIME: tracks.t_s, _DETECTION: tracks.detection}
    extra = {name: column for name, column in tracks.extra.items() if name != _MASK}
    return _made(tracks, {**extra, **times}, tracks.number)


def detections_from_supervision(found: Any, classes: tuple[str, ...] | None = None) -> Detections:
    """The rows of ``sv.Detections``, in the same order, with its data, masks and tracker ids as extra columns.

    ``classes`` are the names that ``class_id`` indexes. Without them they are taken from ``data["class_name"]``, so
    that labels are still ``class_id``; ids that no name is known for are called by their number.
    Scores that are missing are 1.
    """
    n = len(found.xyxy)
    label = np.zeros(n, np.int64) if found.class_id is None else np.asarray(found.class_id, np.int64)
    data = {name: _rows(column) for name, column in found.data.items()}
    named = data.pop(_NAMES, None)
    extra = {**data}
    if found.mask is not None:
        extra[_MASK] = np.asarray(found.mask)
    if found.tracker_id is not None:
        extra[_TRACKER] = np.asarray(found.tracker_id, np.int64)
    return Detections(
        np.asarray(found.xyxy, np.float64).reshape(n, 4),
        np.ones(n) if found.confidence is None else np.asarray(found.confidence, np.float64),
        label,
        classes or _classes(label, named),
        extra,
    )


def _made(rows: Detections | Tracks, data: Mapping[str, Any], number: Int[np.ndarray, " n"] | None = None) -> Any:
    """``sv.Detections`` of copies, since supervision's users write into theirs."""
    try:
        sv = importlib.import_module("supervision")
    except ImportError as error:
        raise EngineError(f"supervision cannot be imported ({error}); pip install supervision") from None
    mask = rows.extra.get(_MASK)
    number = rows.extra.get(_TRACKER) if number is None else number
    return sv.Detections(
        xyxy=rows.xyxy_px.copy(),
        mask=None if mask is None else mask.astype(bool),
        confidence=rows.score.copy(),
        class_id=rows.label.astype(int),
        tracker_id=None if number is None else number.astype(int),
        data={_NAMES: np.array([*rows.classes, ""])[rows.label], **{name: np.array(c) for name, c in data.items()}},
    )


def _rows(column: Any) -> Shaped[np.ndarray, "n ..."]:
    """A data entry as an array; supervision also allows lists."""
    if isinstance(column, np.ndarray):
        return column
    try:
        return np.array(column)
    except ValueError:
        ragged = np.empty(len(column), object)
        ragged[:] = column
        return ragged


def _classes(label: Int[np.ndarray, " n"], named: Shaped[np.ndarray, " n"] | None) -> tuple[str, ...]:
    """A name for every label up to the highest."""
    if not len(label):
        return ("object",)
    if named is None and not label.any():
        return ("object",)
    names = [str(k) for k in range(int(label.max()) + 1)]
    if named is not None:
        for k, name in zip(label.tolist(), named.tolist(), strict=True):
            names[k] = str(name)
    return tuple(names)
