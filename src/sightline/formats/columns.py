"""Tracks from the columns of a file, once every number has been looked at."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int, Num

from sightline.errors import FormatError
from sightline.model.detections import Extra
from sightline.model.tracks import Tracks

BOX = ("x1", "y1", "x2", "y2")
NAMES = ("camera", "frame_index", "t_s", "track", *BOX, "score", "class", "detection")
"""What the columns of a table are called; any other holds something extra."""
_RULES: dict[str, tuple[float, str]] = {
    "frame_index": (0, "0 or more"),
    "track": (-1, "0 or more, or -1 for none"),
    **dict.fromkeys((*BOX, "score"), (-np.inf, "a finite number")),
    "detection": (-1, "0 or more, or -1 for a row that was filled in"),
}
Columns = Mapping[str, Num[np.ndarray, " n"]]
"""Numbers by the names of ``NAMES``, one row per sighting."""
Where = Callable[[int], str]
"""What to call a row in a message: ``clip.csv: line 7``."""


def tracks_from(
    camera: str, columns: Columns, label: Int[np.ndarray, " n"], classes: tuple[str, ...], extra: Extra
) -> Tracks:
    """The sightings, oldest picture first, in one picture in the order of the file.

    Where ``columns`` has no times, they are NaN; no score: 1; no detection: the row's place in its picture.
    """
    n = len(columns["frame_index"])
    order = np.argsort(columns["frame_index"], kind="stable")
    frame_index = columns["frame_index"][order]
    place = np.arange(n) - np.searchsorted(frame_index, frame_index)
    return Tracks(
        camera=camera,
        frame_index=frame_index,
        t_s=columns["t_s"][order] if "t_s" in columns else np.full(n, np.nan),
        number=columns["track"][order],
        xyxy_px=np.stack([columns[name][order] for name in BOX], axis=1),
        score=columns["score"][order] if "score" in columns else np.ones(n),
        label=label[order],
        detection=columns["detection"][order] if "detection" in columns else place,
        classes=classes,
        extra={name: column[order] for name, column in extra.items()},
    )


def refuse(where: Where, columns: Columns, called: Mapping[str, str] | None = None) -> None:
    """Raises for the first number that means nothing in its column, and for a track that is twice in one picture.

    ``called`` says what the file calls a column, where that differs from ours.

    Raises:
        FormatError: names the row, the column, and what was expected there.
    """
    faults = [(int(np.argmax(wrong)), name) for name, wrong in _wrong(columns) if wrong.any()]
    if faults:
        row, name = min(faults)
        expected = _RULES[name][1] if name in _RULES else "a finite number or none"
        found = f"{(called or {}).get(name, name)} is {columns[name][row]:g}"
        raise FormatError(f"{where(row)}: {found}, expected {expected}")
    pair = twins(columns["frame_index"], columns["track"])
    if pair:
        first, second = pair
        what = f"{columns['track'][first]:g} is in picture {columns['frame_index'][first]:g} already"
        name = (called or {}).get("track", "track")
        raise FormatError(f"{where(second)}: {name} {what}, in {where(first).rpartition(': ')[2]}")


def _wrong(columns: Columns) -> list[tuple[str, Bool[np.ndarray, " n"]]]:
    wrong = [
        (name, ~(np.isfinite(columns[name]) & (columns[name] >= least)))
        for name, (least, _) in _RULES.items()
        if name in columns
    ]
    return [*wrong, ("t_s", np.isinf(columns["t_s"]))] if "t_s" in columns else wrong


def twins(picture: Num[np.ndarray, " n"], number: Num[np.ndarray, " n"]) -> tuple[int, int] | None:
    """The first two rows with one number in one picture, or None. Rows of no track (-1) may be many."""
    order = np.lexsort((number, picture))
    same = (np.diff(picture[order]) == 0) & (np.diff(number[order]) == 0) & (number[order][1:] >= 0)
    if not same.any():
        return None
    later = int(np.flatnonzero(same)[np.argmin(order[1:][same])])
    return int(order[later]), int(order[later + 1])


def camera_from(path: Path, which: Int[np.ndarray, " n"], names: Sequence[str], where: Where) -> str:
    """The one camera of ``names`` that the rows are of, or the file's name where there are no rows.

    Raises:
        FormatError: rows of several cameras.
    """
    if len(which) == 0:
        return path.stem
    other = which != which[0]
    if other.any():
        row = int(np.argmax(other))
        found = f"camera is {names[which[row]]!r}, but {names[which[0]]!r} before"
        raise FormatError(f"{where(row)}: {found}; keep one camera per file")
    return names[which[0]]
