"""Names of the things that detectors know, and the two ways COCO's are numbered."""

import ast
import json
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from sightline.errors import OptionError

COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard",
    "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase",
    "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
"""The 80 classes, in the order networks with 80 columns have them: person is 0."""

UNUSED_COCO_IDS = (0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
"""Category ids of COCO up to 90 that no picture bears; networks with 91 columns have a column for each."""

COCO_IDS = np.setdiff1d(np.arange(91), UNUSED_COCO_IDS)
"""Category id of each of the 80 classes: where its column is in a network with 91. Person is 1."""

_METADATA_KEYS = ("names", "class_names", "classes", "labels")


def columns(names: Sequence[str] | None, n_columns: int) -> tuple[tuple[str, ...], Int[np.ndarray, " n"]]:
    """The classes of a network with ``n_columns`` scores per box, and which column each has.

    ``names`` are those known for it, if any. COCO's are taken for 80 columns and for 91, where the 11 unused
    ones are passed over, so that a label means the same whichever numbering the network has. One name less
    than there are columns: the last one is for the background, and is passed over.

    Raises:
        OptionError: another number of names than classes.
    """
    if names is None:
        if n_columns in (80, 91):
            return columns(COCO, n_columns)
        plain = ["object"] if n_columns == 1 else [f"class_{column}" for column in range(n_columns)]
        return tuple(plain), np.arange(n_columns)
    if n_columns == 91 and len(names) == 80:
        return tuple(names), COCO_IDS
    if len(names) not in (n_columns, n_columns - 1):
        raise OptionError(f"{len(names)} class names given, but the network has {n_columns} classes")
    return tuple(names), np.arange(len(names))


def from_metadata(metadata: Mapping[str, str]) -> list[str] | None:
    """Class names an exporter left in a file's metadata; None if it left none that can be read.

    Read are lists and index-to-name tables, as JSON or as Python prints them, and names between commas.
    """
    text = next((metadata[key] for key in _METADATA_KEYS if metadata.get(key)), None)
    if text is None:
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
        except (ValueError, SyntaxError):
            continue
        if isinstance(value, dict) and all(str(key).isdecimal() for key in value):
            value = [value[key] for key in sorted(value, key=int)]
        return [str(name) for name in value] if isinstance(value, list | tuple) else None
    return [name.strip() for name in text.split(",")]


def kept(wanted: Sequence[str] | None, names: Sequence[str]) -> np.ndarray:
    """Which of the classes ``names`` are wanted, as a mask; all of them if None.

    Raises:
        OptionError: there is no class of that name; the message lists those there are.
    """
    if wanted is None:
        return np.ones(len(names), bool)
    for name in wanted:
        if name not in names:
            raise OptionError(f"the network knows no class {name!r}; it knows: {', '.join(names)}")
    return np.isin(names, list(wanted))
