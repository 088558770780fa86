"""The file that a name of weights means, and what is known of it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sightline import weights
from sightline.errors import WeightsError

DEFAULTS: Final = ("da3-base", "da3-small")
"""What is taken when no weights are named: anybody may use them for anything; the better first."""
_HUB_ID: Final = re.compile(r"[\w.-]+/[\w.-]+")
_HUB_FILES: Final = ("model.safetensors", "model.pt")


@dataclass(frozen=True, slots=True)
class Found:
    """Weights, found on this machine."""

    path: Path
    """The file."""
    name: str
    """What they are called."""
    licence: str
    """Theirs."""
    sha256: str
    """Of the file."""


def found(name: str) -> Found:
    """The file for a name on the shelf, a path, or a repository of Hugging Face's that was fetched before.

    Nothing is fetched. Without a name, the first of ``DEFAULTS`` that is here.

    Raises:
        WeightsError: there is none; says which to get, under which licence, and how.
    """
    shelf = weights.on_shelf()
    known = weights.catalogue(weights.folder())
    name = name or next((default for default in DEFAULTS if default in shelf), DEFAULTS[0])
    if name in shelf:
        card = shelf[name]
        return Found(weights.find(name).path, name, card.licence, card.sha256)
    if name in known:
        raise WeightsError(f"weights {name!r} are not here: {told(name)}")
    path = Path(name).expanduser()
    if not path.is_file() and _HUB_ID.fullmatch(name):
        path = _of_hub(name)
    if not path.is_file():
        reason = "a folder, not a file" if path.is_dir() else "no such file, and no weights of that name"
        raise WeightsError(f"{path}: {reason}; known are {', '.join(_networks())}, or give a .pt or .safetensors file")
    digest = weights.sha256_of(path)
    alike = [card.licence for card in shelf.values() if card.sha256 == digest]
    by_source = [
        entry.licence for entry in known.values() if _HUB_ID.fullmatch(name) and entry.source.endswith(f"/{name}")
    ]
    licence = next((licence for licence in (*alike, *by_source)), "unknown")
    return Found(path, name if _HUB_ID.fullmatch(name) and by_source else path.name, licence, digest)


def told(name: str) -> str:
    """What known weights are, what they may be used for, and how to get them."""
    entry = weights.catalogue(weights.folder())[name]
    size = f", {entry.n_bytes / 1e9:.1f} GB" if entry.n_bytes else ""
    use = {True: "any use", False: "NOT for commercial use", None: "see there for use"}[entry.commercial]
    get = f"sightline models pull {name}" if entry.url else f"{entry.how}, then sightline models add {name} FILE"
    return f"{entry.what}{size}; licence {entry.licence}, {use} ({entry.source}); {get}"


def _networks() -> list[str]:
    """Names of known weights for the networks here."""
    return [name for name in weights.catalogue(weights.folder()) if name.startswith(("vggt", "da3"))]


def _of_hub(name: str) -> Path:
    """The newest file that was fetched of a repository.

    Raises:
        WeightsError: none was.
    """
    home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    snapshots = Path(home, "hub", f"models--{name.replace('/', '--')}", "snapshots")
    there = [path for file in _HUB_FILES for path in snapshots.glob(f"*/{file}")]
    if there:
        return max(there, key=lambda path: path.stat().st_mtime)
    ours = [n for n, e in weights.catalogue(weights.folder()).items() if e.source.endswith(f"/{name}")]
    more = f"; {told(ours[0])}" if ours else f"; fetch it: huggingface-cli download {name}"
    raise WeightsError(f"{name}: not on this machine, and nothing is fetched unasked{more}")
