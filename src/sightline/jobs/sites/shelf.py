"""The sites that an installation knows: files in its folder, and those that come along."""

import tomllib
from pathlib import Path
from typing import final

from sightline.errors import FormatError, UnknownError
from sightline.formats.sites.toml import read, shipped
from sightline.model.site import Site


@final
class Sites:
    """Site files by id. A file in the folder goes before one that comes along."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ids(self) -> list[str]:
        """What can be asked for."""
        return sorted(self._all())

    def get(self, site_id: str) -> Site:
        """The site of that id, read anew.

        Raises:
            UnknownError: there is none; the message lists those there are.
            FormatError: its file has a mistake.
        """
        path = self._all().get(site_id)
        if path is None:
            raise UnknownError(f"no environment {site_id[:64]!r}; there are: {', '.join(self.ids())}")
        try:
            return read(path)
        except FormatError as error:
            raise FormatError(str(error).replace(str(path), path.name)) from None
        except OSError as error:
            raise FormatError(f"{path.name}: cannot be read ({error.strerror})") from None

    def _all(self) -> dict[str, Path]:
        own = sorted(self._folder.glob("*.toml")) if self._folder.is_dir() else []
        return {**shipped(), **{_id_in(path): path for path in own}}


def _id_in(path: Path) -> str:
    """The id that a file gives itself; its name where it cannot be read, so that it is missed under some name."""
    try:
        found = tomllib.loads(path.read_text("utf-8")).get("id")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        found = None
    return found if isinstance(found, str) else path.stem
