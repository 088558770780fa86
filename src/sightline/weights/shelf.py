"""The shelf: a folder of this machine where weights lie by name, each with a card that says what it is.

NAME.onnx, NAME.pt or NAME.safetensors is the file, NAME.json its card. The folder is the user's data folder unless
SIGHTLINE_MODELS names another.
"""

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from sightline.errors import OptionError, WeightsError
from sightline.files import whole
from sightline.weights.catalogue import Entry, catalogue

VARIABLE = "SIGHTLINE_MODELS"
"""Names another folder."""
SUFFIXES = (".onnx", ".pt", ".safetensors")
"""Of files on the shelf; any other file is taken to be ONNX."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a file on the shelf."""

    name: str
    """How it is called for."""
    licence: str
    """Of the weights."""
    source: str
    """Where they are from."""
    n_bytes: int
    """Size when added."""
    sha256: str
    """Of the file when added."""
    added: str
    """When, in UTC."""
    mtime_ns: int
    """When the file was last found to be what it was."""
    names: tuple[str, ...] | None = None
    """What the network calls its classes, where that is known and not COCO."""
    suffix: str = ".onnx"
    """Of the file, which else has the card's name."""

    @property
    def path(self) -> Path:
        """The file."""
        return folder() / f"{self.name}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Weights:
    """A file to open, and what is known of it."""

    path: Path
    """The file."""
    names: tuple[str, ...] | None = None
    """What the network calls its classes; None: not known, or COCO."""


def folder() -> Path:
    """Where the shelf is; it need not exist yet."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_data_path("sightline") / "models"


def find(name_or_path: str) -> Weights:
    """The file that a name on the shelf or a path means.

    A file from the shelf is read through if its size or date changed since it was last found to be whole.

    Raises:
        WeightsError: there is none, with what to do; or the file is not what was put on the shelf.
    """
    if "/" in name_or_path or os.sep in name_or_path or name_or_path.lower().endswith(SUFFIXES):
        return _file(Path(name_or_path).expanduser())
    card = on_shelf().get(name_or_path)
    if card is None:
        raise WeightsError(_absent(name_or_path))
    _check(card, card.path)
    return Weights(card.path, card.names)


def on_shelf() -> dict[str, Card]:
    """The cards on the shelf, by name.

    Raises:
        WeightsError: a card cannot be read.
    """
    cards = (_card(path) for path in sorted(folder().glob("*.json")))
    return {card.name: card for card in cards}


def add(name: str, file: Path, *, licence: str | None = None, source: str | None = None) -> Card:
    """Copies a file to the shelf under that name.

    Licence and source are the catalogue's for a name that is in it.

    Raises:
        OptionError: the name will not do.
        WeightsError: there is no such file, the name is taken, or the catalogue knows another sha256 for it.
    """
    entry = catalogue(folder()).get(name)
    _check_free(name)
    if not file.is_file():
        raise WeightsError(f"{file}: no such file")
    suffix = suffix_of(file.name)
    path = folder() / f"{name}{suffix}"
    with whole(path) as partial:
        digest, n_bytes = hashlib.sha256(), 0
        with file.open("rb") as read, partial.open("wb") as write:
            while chunk := read.read(_CHUNK):
                digest.update(chunk)
                n_bytes += write.write(chunk)
        check_same(name, entry, digest.hexdigest(), n_bytes)
    return put_card(
        name, entry, digest.hexdigest(), suffix=suffix, licence=licence, source=source or str(file.resolve())
    )


def suffix_of(name: str) -> str:
    """The suffix that a file of that name has on the shelf."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in SUFFIXES else SUFFIXES[0]


def put_card(
    name: str,
    entry: Entry | None,
    sha256: str,
    *,
    suffix: str = SUFFIXES[0],
    licence: str | None = None,
    source: str = "unknown",
) -> Card:
    """Writes the card for a file that lies on the shelf already."""
    stat = (folder() / f"{name}{suffix}").stat()
    card = Card(
        name=name,
        licence=licence or (entry.licence if entry else "unknown"),
        source=entry.source if entry else source,
        n_bytes=stat.st_size,
        sha256=sha256,
        added=datetime.now(UTC).isoformat(timespec="seconds"),
        mtime_ns=stat.st_mtime_ns,
        names=entry.names if entry else None,
        suffix=suffix,
    )
    _write(card)
    return card


def check_same(name: str, entry: Entry | None, sha256: str, n_bytes: int) -> None:
    """Nothing, if a file is what the catalogue says, or it says nothing.

    Raises:
        WeightsError: it is another.
    """
    if entry and entry.sha256 and entry.sha256 != sha256:
        size = f" of {entry.n_bytes} bytes" if entry.n_bytes else ""
        raise WeightsError(
            f"{name}: not the file the catalogue means: sha256 {sha256}, {n_bytes} bytes; expected {entry.sha256}{size}"
        )


def check_name(name: str) -> None:
    """Nothing, if weights may be called that.

    Raises:
        OptionError: they may not.
    """
    if not _NAME.fullmatch(name) or name.endswith(SUFFIXES):
        raise OptionError(
            f"weights cannot be called {name!r}; a-z, 0-9, '-', '_' and '.' will do, without '{suffix_of(name)}'"
        )


def remove(name: str) -> None:
    """Takes weights off the shelf.

    Raises:
        WeightsError: there are none of that name.
    """
    card = on_shelf().get(name)
    if card is None:
        raise WeightsError(f"no weights {name!r} on the shelf; there are: {', '.join(on_shelf()) or 'none'}")
    card.path.unlink(missing_ok=True)
    (folder() / f"{name}.json").unlink()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file(path: Path) -> Weights:
    if not path.is_file():
        reason = "a folder, not a file" if path.is_dir() else "no such file"
        raise WeightsError(f"{path}: {reason}; give an ONNX file, or a name from sightline models list")
    n_bytes = path.stat().st_size
    alike = [entry for entry in catalogue(folder()).values() if entry.names and entry.n_bytes == n_bytes]
    digest = sha256_of(path) if alike else ""
    return Weights(path, next((entry.names for entry in alike if entry.sha256 == digest), None))


def _absent(name: str) -> str:
    here = ", ".join(on_shelf()) or "none"
    entry = catalogue(folder()).get(name)
    if entry is None:
        return (
            f"no weights {name!r}; on the shelf: {here}; sightline models list shows more, or give the path of a file"
        )
    how = f"sightline models pull {name}, or " if entry.url else ""
    return f"weights {name!r} are not on the shelf (there: {here}): {how}sightline models add {name} FILE"


def _check_free(name: str) -> None:
    check_name(name)
    if name in on_shelf():
        raise WeightsError(f"weights {name!r} are on the shelf already; sightline models remove {name} first")


def _check(card: Card, path: Path) -> None:
    again = f"sightline models remove {card.name}, then pull or add it again"
    if not path.is_file():
        raise WeightsError(f"{path}: gone from the shelf; {again}")
    stat = path.stat()
    if (stat.st_size, stat.st_mtime_ns) == (card.n_bytes, card.mtime_ns):
        return
    if stat.st_size != card.n_bytes or sha256_of(path) != card.sha256:
        raise WeightsError(f"{path}: not what was put on the shelf (sha256 differs from {card.sha256}); {again}")
    with suppress(OSError):  # a shelf that may not be written is read through every time
        _write(replace(card, mtime_ns=stat.st_mtime_ns))


def _card(path: Path) -> Card:
    try:
        fields = json.loads(path.read_text("utf-8"))
        names = tuple(fields["names"]) if fields["names"] else None
        card = Card(**{**fields, "name": path.stem, "names": names})
        SUFFIXES.index(card.suffix)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise WeightsError(f"{path}: not a card of the shelf ({error}); remove it and add the weights again") from None
    return card


def _write(card: Card) -> None:
    with whole(folder() / f"{card.name}.json") as partial:
        partial.write_text(json.dumps(asdict(card), indent=2) + "\n", "utf-8")
