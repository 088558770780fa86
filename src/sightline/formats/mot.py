"""MOT Challenge text: what its benchmarks, its evaluators and most trackers write.

Source: Milan et al., MOT16: A Benchmark for Multi-Object Tracking, 2016, tables 4 and 5; motchallenge.net.
"""

import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Int, Shaped
from pyarrow import csv

from sightline.errors import FormatError, OptionError
from sightline.files import whole
from sightline.formats.columns import twins
from sightline.formats.mot_text import COLUMNS, contents, lines_of, numbers
from sightline.geometry.boxes import xywh_from_xyxy, xyxy_from_xywh
from sightline.model.tracks import Tracks

CLASSES = (
    "pedestrian", "person on vehicle", "car", "bicycle", "motorbike", "non motorized vehicle", "static person",
    "distractor", "occluder", "occluder on the ground", "occluder full", "reflection", "crowd",
)  # fmt: skip
"""The benchmark's classes; in the file they count from 1, so that label 0 is class 1."""
ALIASES = {"person": "pedestrian", "people": "pedestrian", "motorcycle": "motorbike"}
"""Our and COCO's names for some of them."""
VISIBILITY, WORLD = "visibility", "xyz_world"
"""Extra columns: share of the box that is seen (9-column truth), place in the world (10 columns)."""
_MOST_CLASSES = 100_000
_EXACT = 2.0**53


@final
class Mot:
    """``frame,id,left,top,width,height,confidence`` and, for results, ``-1,-1,-1``; for truth, ``class,visibility``.

    Frames count from 1, ``frame_index`` from 0. Boxes are taken as they stand: no pixel is added or taken away,
    as TrackEval does. ``t_s`` is ``frame_index / fps`` where a rate is known, else NaN; never an invented rate.
    Class and visibility are written for tracks that have them in the benchmark's sense: class names that are
    ``CLASSES`` or numbers, or a column ``visibility``. What the format has no room for (times, other class names,
    other extra columns, which rows were filled in) is not written.
    """

    def __init__(self, *, camera: str | None = None, fps: float | None = None, decimals: int = 3) -> None:
        """``camera`` names the tracks read, ``fps`` dates them, ``decimals`` is how finely pixels are written.

        Without ``camera`` the name in ``seqinfo.ini`` is taken, else the file's (for ``gt.txt`` and ``det.txt``,
        the folder's). Without ``fps``, the ``frameRate`` of a ``seqinfo.ini`` beside the file or one folder above.

        Raises:
            OptionError: a rate that is not above 0, decimals outside 0 to 12.
        """
        if fps is not None and not 0 < fps < np.inf:
            raise OptionError(f"mot: fps must be above 0, not {fps}")
        if not 0 <= decimals <= 12:
            raise OptionError(f"mot: decimals must be 0 to 12, not {decimals}")
        self._camera, self._fps, self._decimals = camera, fps, decimals

    def write(self, tracks: Tracks, path: Path) -> None:
        """Puts the tracks into the file; gzip where the name ends in ``.gz``. Times and fill marks are not written.

        Raises:
            FormatError: tracks with a visibility whose class is none of the benchmark's.
            OSError: the file cannot be written; nothing is left under its name then.
        """
        table = pa.table(
            {
                "frame": tracks.frame_index + 1,
                "id": tracks.number,
                **_columns("xywh", np.round(xywh_from_xyxy(tracks.xyxy_px), self._decimals)),
                "confidence": np.round(tracks.score, 6),
                **_last_columns(tracks, path),
            }
        )
        compression = "gzip" if path.suffix == ".gz" else None
        with whole(path) as partial, pa.output_stream(str(partial), compression=compression) as stream:
            csv.write_csv(table, stream, csv.WriteOptions(include_header=False))

    def read(self, path: Path) -> Tracks:
        """The tracks in the file, oldest picture first, in one picture as they stand in the file.

        6 columns (no confidence: 1.0) to 10; more are left out. Commas, or blanks or tabs; also gzip.
        ``score`` is the confidence as it stands, which old detectors put outside [0, 1]; where all are -1 (the
        benchmark's "not given") it is 1. In truth it is 1 for boxes to consider, 0 for others.
        8 or 9 columns hold the class: labels of ``CLASSES`` where all are 1 to 13, else ``classes`` are
        the numbers themselves, "0", "1", ... Class -1 throughout is none. Column 9 comes back as the extra column
        ``visibility``; columns 8 to 10 of 10, unless all -1, as ``xyz_world``. ``detection`` counts the rows of
        each picture.

        Raises:
            FormatError: names the file, the line and the column, and what was expected there.
            OSError: the file cannot be read.
        """
        data = contents(path)
        grid = numbers(path, data)
        if grid.shape[1] < 6:
            raise FormatError(f"{path}: line {lines_of(data)[0]}: {grid.shape[1]} columns, expected 6 to 10")
        camera, fps = self._sequence(path)
        if len(grid) == 0:
            return Tracks.none(camera)
        _refuse(path, data, grid)
        grid = grid[np.argsort(grid[:, 0], kind="stable")]
        label, classes, extra = _meaning_of_last_columns(grid)
        frame_index = grid[:, 0].astype(np.int64) - 1
        return Tracks(
            camera=camera,
            frame_index=frame_index,
            t_s=frame_index / fps if fps else np.full(len(grid), np.nan),
            number=grid[:, 1].astype(np.int64),
            xyxy_px=xyxy_from_xywh(grid[:, 2:6]),
            score=np.ones(len(grid)) if grid.shape[1] < 7 or (grid[:, 6] == -1).all() else grid[:, 6],
            label=label,
            detection=np.arange(len(grid)) - np.searchsorted(frame_index, frame_index),
            classes=classes,
            extra=extra,
        )

    def _sequence(self, path: Path) -> tuple[str, float | None]:
        """Camera and rate: as asked for, else as ``seqinfo.ini`` says, else the name of the file and no rate."""
        said = _seqinfo(path)
        stem = Path(path.name.removesuffix(".gz")).stem
        folder = path.absolute().parent
        folder = folder.parent if folder.name in {"gt", "det"} else folder
        name = folder.name if stem in {"gt", "det"} else stem
        return self._camera or said.get("name") or name, self._fps or _rate(path, said)


def _columns(name: str, values: Shaped[np.ndarray, "n k"]) -> dict[str, Any]:
    """The columns of ``values`` under names of their own."""
    return {f"{name}{k}": np.ascontiguousarray(values[:, k]) for k in range(values.shape[1])}


def _last_columns(tracks: Tracks, path: Path) -> dict[str, Any]:
    """Column 8 and on: class and visibility of truth, else the world, else -1 thrice."""
    ids = _class_ids(tracks, path)
    if ids is not None:
        seen = {"visibility": tracks.extra[VISIBILITY]} if VISIBILITY in tracks.extra else {}
        return {"class": ids[tracks.label], **seen}
    if WORLD in tracks.extra:
        return _columns("world", tracks.extra[WORLD])
    return _columns("world", np.full((len(tracks), 3), -1))


def _class_ids(tracks: Tracks, path: Path) -> Int[np.ndarray, " c"] | None:
    """The number in the file of each class; None for tracks that are not in the benchmark's classes."""
    if tracks.classes and all(name.isdecimal() for name in tracks.classes):
        return np.array([int(name) for name in tracks.classes])
    named = [ALIASES.get(name, name) for name in tracks.classes]
    if VISIBILITY not in tracks.extra and tracks.classes != CLASSES:
        return None
    used = {named[k] for k in np.unique(tracks.label)}
    if used - {*CLASSES}:
        strange = ", ".join(sorted(used - {*CLASSES}))
        raise FormatError(f"{path}: MOT truth has no class {strange}; there are: {', '.join(CLASSES)}")
    return np.array([CLASSES.index(name) + 1 if name in CLASSES else 0 for name in named])


def _meaning_of_last_columns(
    grid: Float[np.ndarray, "n k"],
) -> tuple[Int[np.ndarray, " n"], tuple[str, ...], Mapping[str, Shaped[np.ndarray, "n ..."]]]:
    """Labels, class names and extra columns that column 8 and on say."""
    unlabelled = np.zeros(len(grid), np.int64)
    if grid.shape[1] >= 10:
        world = grid[:, 7:10]
        return unlabelled, ("object",), {} if (world == -1).all() else {WORLD: world}
    extra = {VISIBILITY: grid[:, 8]} if grid.shape[1] == 9 else {}
    if grid.shape[1] < 8 or (grid[:, 7] == -1).all():
        return unlabelled, ("object",), {name: column for name, column in extra.items() if (column != -1).any()}
    ids = grid[:, 7].astype(np.int64)
    if ids.min() >= 1 and ids.max() <= len(CLASSES):
        return ids - 1, CLASSES, extra
    return ids, tuple(map(str, range(ids.max() + 1))), extra


def _refuse(path: Path, data: bytes, grid: Float[np.ndarray, "n k"]) -> None:
    """Raises for the first number that means nothing in its column, or an id that is twice in one picture."""
    classed = grid.shape[1] in {8, 9} and not (grid[:, 7] == -1).all()
    rules: list[tuple[int, Bool[np.ndarray, " n"], str]] = [
        (k, ~np.isfinite(grid[:, k]), "a finite number") for k in range(min(10, grid.shape[1]))
    ]
    rules += [
        (0, ~_whole(grid[:, 0], 1), "a whole number from 1"),
        (1, ~_whole(grid[:, 1], -1), "a whole number from 1, or -1 for none"),
        (4, grid[:, 4] < 0, "0 or more"),
        (5, grid[:, 5] < 0, "0 or more"),
    ]
    if classed:
        expected = "a class number, or -1 in every line"
        rules.append((7, ~(_whole(grid[:, 7], 0) & (grid[:, 7] < _MOST_CLASSES)), expected))
    faults = [(int(np.argmax(wrong)), column, what) for column, wrong, what in rules if wrong.any()]
    if faults:
        row, column, what = min(faults)
        found = f"{COLUMNS[column]} is {grid[row, column]:g}"
        raise FormatError(f"{path}: line {lines_of(data)[row]}: {found}, expected {what}")
    _refuse_twins(path, data, grid)


def _refuse_twins(path: Path, data: bytes, grid: Float[np.ndarray, "n k"]) -> None:
    """Raises for an id that is twice in one picture; rows of no id may be many."""
    pair = twins(grid[:, 0], grid[:, 1])
    if pair:
        first, second = lines_of(data)[[*pair]]
        what = f"id {grid[pair[0], 1]:g} is in frame {grid[pair[0], 0]:g} already, in line {first}"
        raise FormatError(f"{path}: line {second}: {what}")


def _whole(column: Float[np.ndarray, " n"], least: int) -> Bool[np.ndarray, " n"]:
    return (column >= least) & (column == np.floor(column)) & (column < _EXACT)


def _seqinfo(path: Path) -> Mapping[str, str]:
    """What the sequence's ``seqinfo.ini`` says, beside the file or one folder above; nothing where there is none."""
    folder = path.absolute().parent
    for beside in (folder / "seqinfo.ini", folder.parent / "seqinfo.ini"):
        if beside.is_file():
            parser = configparser.ConfigParser(interpolation=None)
            try:
                parser.read_string(beside.read_text("utf-8-sig"))
            except (configparser.Error, UnicodeDecodeError) as error:
                raise FormatError(f"{beside}: {str(error).splitlines()[0]}") from None
            return parser["Sequence"] if parser.has_section("Sequence") else {}
    return {}


def _rate(path: Path, said: Mapping[str, str]) -> float | None:
    """The sequence's pictures per second, if it says."""
    text = said.get("frameRate")
    if text is None:
        return None
    try:
        fps = float(text)
    except ValueError:
        fps = np.nan
    if not 0 < fps < np.inf:
        raise FormatError(f"seqinfo.ini of {path}: frameRate is {text!r}, expected a number above 0")
    return fps
