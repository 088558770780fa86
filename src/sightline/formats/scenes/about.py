"""What a file says of the scene in it, and what JSON has to say it with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sightline.errors import FormatError
from sightline.model.scene import MadeBy, Scale, Scene


def about(scene: Scene) -> dict[str, Any]:
    """Engine, version, weights and their licence, settings, scale, and how many pictures found their place."""
    made_by = scene.made_by
    return {
        "engine": made_by.engine,
        "version": made_by.version,
        "weights": made_by.weights,
        "weights_licence": made_by.weights_licence,
        "settings": dict(made_by.settings),
        "scale": scene.scale.value,
        "is_metric": scene.scale.is_metric,
        "views": len(scene.views),
        "views_registered": int(scene.views.is_registered.sum()),
    }


def made_by(said: Mapping[str, Any]) -> tuple[MadeBy, Scale]:
    """The other way; what is not said stays empty.

    Raises:
        ValueError: a scale that there is not, settings that are no mapping.
        TypeError: likewise.
    """
    texts = {name: str(said.get(name, "")) for name in ("engine", "version", "weights", "weights_licence")}
    return MadeBy(**texts, settings=dict(said.get("settings", {}))), Scale(said.get("scale", "unknown"))


def json_text(path: Path, said: Any, *, indent: int | None = None) -> str:
    """``said`` as strict JSON; ``path`` is the file it is meant for.

    Raises:
        FormatError: something that JSON cannot say, such as NaN.
    """
    separators = (",", ":") if indent is None else None
    try:
        return json.dumps(
            said, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators, default=_plain
        )
    except (TypeError, ValueError) as error:
        raise FormatError(f"{path}: not to be said in JSON: {error}") from None


def _plain(value: Any) -> Any:
    """Numpy's numbers as Python's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} {value!r}")
