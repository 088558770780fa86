"""Weights that are known by name: what they are, under which licence, where from, and how to know the file."""

import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from sightline.errors import FormatError

OWN = "catalogue.toml"
"""Name of a file on the shelf with more entries, written as the shipped ones are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Known weights."""

    name: str
    """Lower-case, with the input's size at the end where there is one."""
    what: str
    """In a few words."""
    licence: str
    """Of the weights, by SPDX where there is such a name."""
    source: str
    """Page where they are published and their licence can be read."""
    commercial: bool | None = None
    """May be used to earn money, as far as its publisher says; None: unclear, ask them."""
    url: str | None = None
    """The file itself; None where it must be fetched or exported by hand."""
    n_bytes: int | None = None
    """Size of the file."""
    sha256: str | None = None
    """Of the file; None where we could not know it."""
    names: tuple[str, ...] | None = None
    """What the network calls its classes, where they are not COCO's."""
    note: str = ""
    """What else to know."""
    how: str = ""
    """How to make or fetch the file, where there is no URL."""


def catalogue(shelf: Path | None = None) -> dict[str, Entry]:
    """The known weights by name: those shipped, then those in ``catalogue.toml`` on the shelf.

    Raises:
        FormatError: that file is not TOML, or an entry lacks a field or has one too many.
    """
    shipped = files("sightline.weights").joinpath("catalogue.toml").read_text("utf-8")
    entries = _parsed(shipped, "the shipped catalogue")
    own = shelf / OWN if shelf else None
    if own and own.is_file():
        entries |= _parsed(own.read_text("utf-8"), str(own))
    return entries


def _parsed(text: str, where: str) -> dict[str, Entry]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"{where}: not TOML: {error}") from None
    return {name: _entry(name, table, where) for name, table in tables.items()}


def _entry(name: str, table: Any, where: str) -> Entry:
    known = {field.name for field in fields(Entry)} - {"name"}
    needed = {"what", "licence", "source"}
    given = set(table) if isinstance(table, dict) else set()
    if given - known or needed - given:
        wrong = sorted((given - known) or (needed - given))
        verb = "unknown" if given - known else "missing"
        raise FormatError(f"{where}: entry {name!r}: {verb} field {wrong[0]!r}; fields are {', '.join(sorted(known))}")
    names = table.get("names")
    return Entry(name=name, **{**table, "names": tuple(names) if names else None})
