"""Names to engines. The only module that knows them all, and it imports none until asked."""

import importlib
import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ConfigDict, ValidationError, create_model

from sightline.errors import OptionError, UnknownEngineError

ENGINES: dict[str, dict[str, str]] = {
    "source": {
        "video": "sightline.sources.video:Video",
        "images": "sightline.sources.images:Images",
        "stream": "sightline.sources.stream:Stream",
    },
    "stabilizer": {
        "flow": "sightline.stabilizers.flow:Flow",
    },
    "detector": {
        "motion": "sightline.detectors.motion:Motion",
        "aerial": "sightline.detectors.aerial:Aerial",
        "people_hog": "sightline.detectors.people_hog:PeopleHog",
        "onnx": "sightline.detectors.onnx:Onnx",
        "tiled": "sightline.detectors.tiled:Tiled",
        "mot_file": "sightline.detectors.mot_file:MotFile",
    },
    "tracker": {
        "sort": "sightline.trackers.sort:Sort",
        "bytetrack": "sightline.trackers.bytetrack:ByteTrack",
        "ocsort": "sightline.trackers.ocsort:OcSort",
        "botsort": "sightline.trackers.botsort:BotSort",
    },
    "embedder": {
        "colour": "sightline.embedders.colour:Colour",
        "onnx": "sightline.embedders.onnx:Onnx",
        "clip": "sightline.embedders.clip:Clip",
    },
    "locator": {
        "homography": "sightline.locators.homography:Homography",
        "ground": "sightline.locators.ground:Ground",
    },
    "identifier": {
        "ground": "sightline.identifiers.ground:Ground",
        "gallery": "sightline.identifiers.gallery:Gallery",
    },
    "reconstructor": {
        "sfm": "sightline.reconstructors.sfm:Sfm",
        "vggt": "sightline.reconstructors.vggt:Vggt",
        "da3": "sightline.reconstructors.da3:Da3",
        "neural": "sightline.reconstructors.neural:Neural",
    },
    "flight_log": {
        "dji_csv": "sightline.flight_logs.dji_csv:DjiCsv",
        "airdata": "sightline.flight_logs.airdata:Airdata",
        "litchi": "sightline.flight_logs.litchi:Litchi",
        "dji_srt": "sightline.flight_logs.dji_srt:DjiSrt",
        "djmd": "sightline.flight_logs.djmd:Djmd",
        "klv": "sightline.flight_logs.klv:Klv",
        "ulog": "sightline.flight_logs.ulog:Ulog",
        "ardupilot": "sightline.flight_logs.ardupilot:Ardupilot",
        "tlog": "sightline.flight_logs.tlog:Tlog",
    },
    "format": {
        "mot": "sightline.formats.mot:Mot",
        "csv": "sightline.formats.csv:Csv",
        "parquet": "sightline.formats.parquet:Parquet",
        "coco": "sightline.formats.coco:Coco",
        "tracking_json": "sightline.formats.tracking_json:TrackingJson",
    },
}
"""Kind -> name -> ``module:Class``. Others plug in under the entry point group ``sightline.KIND``."""


def names(kind: str) -> list[str]:
    """The engines of ``kind``: ours first, then those of other installed packages."""
    others = {point.name for point in entry_points(group=f"sightline.{kind}")}
    return [*ENGINES.get(kind, {}), *sorted(others - set(ENGINES.get(kind, {})))]


def engine(kind: str, name: str) -> Any:
    """The class ``name`` of ``kind``, imported now.

    Raises:
        UnknownEngineError: no such engine; the message lists those there are.
    """
    if name in ENGINES.get(kind, {}):
        module, _, attribute = ENGINES[kind][name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    found = entry_points(group=f"sightline.{kind}", name=name)
    if found:
        return next(iter(found)).load()
    raise UnknownEngineError(f"no {kind} {name!r}; there are: {', '.join(names(kind))}")


def source_name(what: str) -> str:
    """Which source reads ``what``: a URL is a stream, a folder or a glob is images, all else is a video file."""
    scheme, separator, _ = what.partition("://")
    if separator and scheme.lower() != "file":
        return "stream"
    return "images" if Path(what).is_dir() or (any(c in what for c in "*?[") and not Path(what).exists()) else "video"


def options(kind: str, name: str) -> dict[str, inspect.Parameter]:
    """The options of an engine, from its own signature."""
    return dict(inspect.signature(engine(kind, name), eval_str=True).parameters)


def build(kind: str, name: str, given: Mapping[str, Any]) -> Any:
    """The engine ``name`` of ``kind``, made with the options ``given``.

    Texts are converted to what the signature asks for, so options may come from a command line.

    Raises:
        UnknownEngineError: no such engine; the message lists those there are.
        OptionError: an option is unknown, missing or of the wrong type; the message lists those there are.
    """
    made = engine(kind, name)
    return made(**check(f"{kind} {name}", options(kind, name), given))


def check(what: str, known: Mapping[str, inspect.Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` checked and converted against the parameters ``known``; only what was given is returned.

    Raises:
        OptionError: an option is unknown, missing or of the wrong type.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise OptionError(f"{what} has no option {name!r}{hint}; there are: {', '.join(known) or 'none'}")
    fields: dict[str, Any] = {
        p.name: (Any if p.annotation is p.empty else p.annotation, ... if p.default is p.empty else p.default)
        for p in known.values()
    }
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())
    model = create_model("Options", __config__=config, **fields)
    try:
        checked = model.model_validate({name: _listed(known[name], value) for name, value in given.items()})
    except ValidationError as error:
        raise OptionError(f"{what}: {_first(error)}") from None
    return {name: getattr(checked, name) for name in checked.model_fields_set}


def _listed(parameter: inspect.Parameter, value: Any) -> Any:
    """A text given for a list, split at its commas: a command line has no other lists."""
    parts = (parameter.annotation, *get_args(parameter.annotation))
    wants_list = any(get_origin(part) in {list, tuple} for part in parts)
    if wants_list and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _first(error: ValidationError) -> str:
    """The first complaint, on one line."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or "options"
    if first["type"] == "missing":
        return f"option {name!r} must be given"
    return f"option {name!r} = {first['input']!r}: {first['msg'].lower()}"
