"""COCO JSON: what annotation tools and detectors' training read, with ``track_id`` on each annotation."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int, Shaped

from sightline.errors import FormatError, OptionError
from sightline.files import whole
from sightline.formats.columns import BOX, refuse, tracks_from
from sightline.formats.json_rows import (
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
from sightline.geometry.boxes import areas, xywh_from_xyxy, xyxy_from_xywh
from sightline.model.tracks import UNTRACKED, Tracks

_CALLED = {"track": "track_id", **dict.fromkeys(BOX, "bbox")}
_OURS = {"id", "image_id", "category_id", "bbox", "area", "iscrowd", "track_id", "score", "detection"}


@final
class Coco:
    """``{"info", "images", "categories", "annotations"}``, one annotation per sighting, one image per picture seen.

    Images hold ``frame_index``, ``t_s`` and ``camera``; annotations ``bbox`` [left, top, width, height], ``area``,
    ``track_id``, ``score`` and ``detection``. Categories count from 1 in the order of the class names.
    Boxes come back to the rounding of left + width. An extra column is a further key of each annotation;
    a value that is NaN or None is left out.
    """

    def __init__(self, *, camera: str | None = None, width: int | None = None, height: int | None = None) -> None:
        """``camera`` names the tracks read, where the file does not; ``width`` and ``height`` are written if given.

        Raises:
            OptionError: a size that is not above 0, or a width without a height.
        """
        if (width is None) != (height is None) or any(side is not None and side < 1 for side in (width, height)):
            raise OptionError(f"coco: give width and height above 0, or neither, not {width} and {height}")
        self._camera = camera
        self._size = {} if width is None else {"width": width, "height": height}

    def write(self, tracks: Tracks, path: Path) -> None:
        """Puts the tracks into the file, one annotation per line. Pictures are called ``000012.jpg``.

        Raises:
            FormatError: a number that JSON cannot say, or an extra column that has the name of a key of ours.
            OSError: the file cannot be written; nothing is left under its name then.
        """
        taken = [name for name in tracks.extra if name in _OURS]
        if taken:
            raise FormatError(f"{path}: extra column {taken[0]!r} has the name of a key of the format; rename it")
        pictures, first, image = np.unique(tracks.frame_index, return_index=True, return_inverse=True)
        annotations = {
            "id": np.arange(1, len(tracks) + 1),
            "image_id": image + 1,
            "category_id": tracks.label + 1,
            "bbox": xywh_from_xyxy(tracks.xyxy_px),
            "area": areas(tracks.xyxy_px),
            "iscrowd": np.zeros(len(tracks), np.int64),
            "track_id": tracks.number,
            "score": tracks.score,
            "detection": tracks.detection,
            **tracks.extra,
        }
        images = {
            "id": np.arange(1, len(pictures) + 1),
            "file_name": np.array([f"{index:06d}.jpg" for index in pictures], dtype=str),
            **{name: np.full(len(pictures), side) for name, side in self._size.items()},
            "frame_index": pictures,
            "t_s": tracks.t_s[first],
            "camera": np.full(len(pictures), tracks.camera),
        }
        info = {"description": "tracks", "camera": tracks.camera}
        categories = [{"id": k, "name": name} for k, name in enumerate(tracks.classes, 1)]
        with whole(path) as partial, partial.open("w", encoding="utf-8") as stream:
            try:
                stream.write(f'{{"info":{json.dumps(info, ensure_ascii=False)},\n"images":[\n')
                write_entries(stream, images, len(pictures))
                stream.write(f'\n],\n"categories":{json.dumps(categories, ensure_ascii=False)},\n"annotations":[\n')
                write_entries(stream, annotations, len(tracks))
            except (ValueError, TypeError) as error:
                raise FormatError(f"{path}: not to be said in JSON: {error}") from None
            stream.write("\n]}\n")

    def read(self, path: Path) -> Tracks:
        """The tracks in the file, oldest picture first; also of files that others wrote.

        Without ``frame_index`` pictures count in the order of their ids; without ``track_id`` rows belong to no
        track (-1); ``score`` is 1 where it is missing. The camera is the images', else the file's name.
        Other keys of annotations come back as extra columns; ``area`` and ``iscrowd`` do not.

        Raises:
            FormatError: names the file, the entry and the key, and what was expected there.
            OSError: the file cannot be read.
        """
        found = document(path)
        if not isinstance(found, dict):
            raise FormatError(f"{path}: {kind_of(found)}, expected an object with images, categories, annotations")
        missing = [name for name in ("images", "annotations", "categories") if name not in found]
        if missing:
            raise FormatError(f"{path}: no {missing[0]!r}; COCO has images, categories and annotations")
        entries = objects(found["annotations"], "annotations", path)

        def where(k: int) -> str:
            return f"{path}: annotations[{k}]"

        picture, t_s = _pictures(found, path)
        categories, classes = _categories(found, path)
        image = _looked_up(entries, "image_id", picture, where, "image")
        xyxy = _xyxy(entries, where)
        columns = {
            "frame_index": image,
            "t_s": np.array([t_s[k] for k in image.tolist()], np.float64),
            "track": whole_numbers([entry.get("track_id", UNTRACKED) for entry in entries], "track_id", where),
            **{name: xyxy[:, k] for k, name in enumerate(BOX)},
            "score": real_numbers([entry.get("score", 1.0) for entry in entries], "score", where),
        }
        if any("detection" in entry for entry in entries):
            columns["detection"] = whole_numbers(values(entries, "detection", where), "detection", where)
        refuse(where, columns, _CALLED)
        label = _looked_up(entries, "category_id", categories, where, "category")
        return tracks_from(self._named(found, path), columns, label, classes, _extra(entries))

    def _named(self, found: Mapping[str, Any], path: Path) -> str:
        """The one camera that the images, or the file, are of."""
        said = {str(image["camera"]) for image in found["images"] if "camera" in image}
        if len(said) > 1:
            raise FormatError(
                f"{path}: images of cameras {', '.join(map(shown, sorted(said)))}; keep one camera per file"
            )
        info = found.get("info")
        stated = info.get("camera") if isinstance(info, dict) else None
        return said.pop() if said else self._camera or (stated if isinstance(stated, str) else path.stem)


def _xyxy(entries: Sequence[Mapping[str, Any]], where: Any) -> Float[np.ndarray, "n 4"]:
    """The boxes; the far corner as written beside, when it is that of the box."""
    xywh = boxes(values(entries, "bbox", where), "bbox", "[left, top, width, height]", where)
    negative = (xywh[:, 2:] < 0).any(axis=1)
    if negative.any():
        k = int(np.argmax(negative))
        raise FormatError(f"{where(k)}: bbox is {shown(entries[k]['bbox'])}, expected a width and height of 0 or more")
    return xyxy_from_xywh(xywh)


def _pictures(found: Mapping[str, Any], path: Path) -> tuple[dict[Any, int], dict[int, float]]:
    """Picture index by image id, and time by picture index."""
    images = objects(found["images"], "images", path)

    def where(k: int) -> str:
        return f"{path}: images[{k}]"

    ids = whole_numbers(values(images, "id", where), "id", where).tolist()
    t_s = real_numbers([image.get("t_s") for image in images], "t_s", where).tolist()
    if images and all("frame_index" in image for image in images):
        index = whole_numbers(values(images, "frame_index", where), "frame_index", where).tolist()
    else:
        rank = {image: k for k, image in enumerate(sorted(ids))}
        index = [rank[image] for image in ids]
    for name, known in (("id", ids), ("frame_index", index)):
        if len({*known}) < len(known):
            place = {value: k for k, value in reversed([*enumerate(known)])}
            twice = next(k for k, value in enumerate(known) if place[value] < k)
            raise FormatError(f"{where(twice)}: {name} {known[twice]} is that of another image already")
    return dict(zip(ids, index, strict=True)), dict(zip(index, t_s, strict=True))


def _categories(found: Mapping[str, Any], path: Path) -> tuple[dict[Any, int], tuple[str, ...]]:
    """Label by category id, and the class names."""
    categories = objects(found["categories"], "categories", path)

    def where(k: int) -> str:
        return f"{path}: categories[{k}]"

    ids = whole_numbers(values(categories, "id", where), "id", where).tolist()
    names = tuple(texts(values(categories, "name", where), "name", where))
    return {number: k for k, number in enumerate(ids)}, names or ("object",)


def _looked_up(
    entries: Sequence[Mapping[str, Any]], key: str, known: Mapping[Any, int], where: Any, what: str
) -> Int[np.ndarray, " n"]:
    """What ``known`` has for each entry's ``key``."""
    ids = whole_numbers(values(entries, key, where), key, where).tolist()
    for k, number in enumerate(ids):
        if number not in known:
            raise FormatError(f"{where(k)}: {key} {shown(number)} is no {what} of the file")
    return np.array([known[number] for number in ids], np.int64)


def _extra(entries: Sequence[Mapping[str, Any]]) -> dict[str, Shaped[np.ndarray, "n ..."]]:
    return {key: column([entry.get(key) for entry in entries]) for key in other_keys(entries, _OURS)}
