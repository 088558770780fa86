"""Which truth belongs to which result: files and folders of tracks on disk."""

import configparser
import json
from dataclasses import dataclass
from pathlib import Path

from sightline import wiring
from sightline.errors import FormatError, SourceError
from sightline.model.tracks import Tracks

SUFFIXES = {".txt": "mot", ".csv": "csv", ".parquet": "parquet", ".json": "coco"}
"""Format by the end of a file's name; ``.gz`` is looked through, and JSON is told apart by its content."""
_PLACES = ("{name}/gt/gt.txt", "{name}/gt.txt", "{name}/truth{end}", "{name}{end}")
"""Where the truth of a sequence may lie in a folder of truths."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One result and the truth it is held against."""

    name: str
    """As in the table."""
    result: Path
    """File of tracks."""
    truth: Path
    """File of tracks."""


def sequences(result: Path, truth: Path, form: str | None) -> tuple[list[Sequence], list[str]]:
    """Every result with its truth, and the names of truths that have no result; two files are one sequence.

    In folders a result is ``NAME.*``, its truth ``NAME.*``, ``NAME/gt/gt.txt``, ``NAME/gt.txt`` or ``NAME/truth.*``.

    Raises:
        SourceError: a file or folder is absent, a result has no truth, or a name has two files.
    """
    for path in (result, truth):
        if not path.exists():
            raise SourceError(f"{path}: no such file or folder")
    if result.is_file() and truth.is_file():
        return [Sequence(_stem(result), result, truth)], []
    if result.is_dir() and truth.is_file():
        raise SourceError(f"{result} is a folder and {truth} a file; give two files, or a folder of truths")
    results = {_stem(result): result} if result.is_file() else _by_name(result, form)
    if not results:
        raise SourceError(f"{result}: no results in this folder; they are files named SEQUENCE{_ends(form)}")
    found = [Sequence(name, path, _truth_of(name, truth, form)) for name, path in results.items()]
    missing = [] if result.is_file() else sorted(_truth_names(truth, form) - set(results))
    return found, missing


def read(path: Path, form: str | None) -> Tracks:
    """The tracks in ``path``, in the format ``form`` or, without, the one its name and content tell.

    Raises:
        FormatError: the file is not of that format, or its name tells none.
    """
    return wiring.build("format", form or _form(path), {}).read(path)


def n_frames(truth: Path) -> int | None:
    """Length of the sequence as its ``seqinfo.ini`` says, beside the truth or one folder above; None without.

    Raises:
        FormatError: the file is damaged, or its length no whole number.
    """
    for folder in (truth.parent, truth.absolute().parent.parent):
        info = folder / "seqinfo.ini"
        if info.is_file():
            said = configparser.ConfigParser(interpolation=None)
            try:
                said.read(info, encoding="utf-8-sig")
                return said.getint("Sequence", "seqLength", fallback=None)
            except (configparser.Error, ValueError) as error:
                raise FormatError(f"{info}: seqLength cannot be read ({str(error).splitlines()[0]})") from None
    return None


def _form(path: Path) -> str:
    """The format that the file's name tells, and for JSON its content."""
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in SUFFIXES:
        raise FormatError(f"{path}: its name tells no format; say --format, one of {', '.join(wiring.names('format'))}")
    if suffix != ".json":
        return SUFFIXES[suffix]
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise FormatError(f"{path}: not JSON ({error})") from None
    return "coco" if isinstance(content, dict) and "annotations" in content else "tracking_json"


def _stem(path: Path) -> str:
    """Name without the endings that only tell the format."""
    return Path(path.name.removesuffix(".gz")).stem


def _ends(form: str | None) -> list[str]:
    """Endings of files in that format, or in any."""
    wanted = {"tracking_json": "coco"}.get(form or "", form)
    plain = [suffix for suffix, name in SUFFIXES.items() if wanted in (None, name)]
    return [end for suffix in plain or SUFFIXES for end in (suffix, f"{suffix}.gz")]


def _by_name(folder: Path, form: str | None) -> dict[str, Path]:
    """The files of tracks in ``folder``, by their names without ending."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.endswith(tuple(_ends(form))) and not path.name.startswith("."):
            if _stem(path) in found:
                other = found[_stem(path)].name
                raise SourceError(f"{folder}: both {other} and {path.name} are there; say which with --format")
            found[_stem(path)] = path
    return found


def _truth_of(name: str, folder: Path, form: str | None) -> Path:
    """The truth of the sequence ``name``."""
    ends = _ends(form)
    tried = dict.fromkeys(folder / place.format(name=name, end=end) for place in _PLACES for end in ends)
    there = [path for path in tried if path.is_file()]
    if not there:
        raise SourceError(f"{folder}: no truth for {name}; looked for {name}/gt/gt.txt, {name}/truth.* and {name}.*")
    return there[0]


def _truth_names(folder: Path, form: str | None) -> set[str]:
    """The sequences that ``folder`` has a truth for."""
    inside = {path.parts[len(folder.parts)] for path in (*folder.glob("*/gt/gt.txt"), *folder.glob("*/gt.txt"))}
    truths = {path.parent.name for end in _ends(form) for path in folder.glob(f"*/truth{end}")}
    return inside | truths | set(_by_name(folder, form))
