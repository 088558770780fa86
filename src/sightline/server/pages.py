"""Web pages beside the API: what lies in ``pages`` in the data folder, such as the front end of the older run server.

Their paths are that server's: ``/``, ``/FILE``, ``/components/FILE`` and ``/viewer/FILE``.
"""

from collections.abc import Container
from pathlib import Path
from typing import final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse

from sightline.settings import Settings

_FRONT = "index.html"
_FOLDERS = frozenset({"components", "viewer"})


@final
class Pages(Container[str]):
    """Paths that are pages: files whose names begin with no dot."""

    def __init__(self, settings: Settings) -> None:
        self._folder = (settings.data_folder / "pages").resolve()
        self.are_there = self._folder.is_dir()
        """Whether there is such a folder."""

    def __contains__(self, path: object) -> bool:
        """Whether a path of a request is a page; anybody may read those."""
        return isinstance(path, str) and self.file(path) is not None

    def file(self, path: str) -> Path | None:
        """The file of a page; ``/`` is ``index.html``. None where there is none, or it lies elsewhere."""
        parts = path.removeprefix("/").split("/") if path != "/" else [_FRONT]
        if (len(parts) > 1 and parts[0] not in _FOLDERS) or any(not part or part.startswith(".") for part in parts):
            return None
        try:
            found = self._folder.joinpath(*parts).resolve()
            return found if found.is_relative_to(self._folder) and found.is_file() else None
        except (OSError, ValueError):  # a name that no file can have
            return None


def router(pages: Pages) -> APIRouter:
    """Serves them, but for ``/``, which is there without pages, too; nothing if there is no folder of them."""
    routes = APIRouter(include_in_schema=False)
    patterns = ("/{name}", *(f"/{folder}/{{name}}" for folder in sorted(_FOLDERS))) if pages.are_there else ()

    def page(request: Request) -> FileResponse:
        file = pages.file(request.scope["path"])
        if file is None:
            raise HTTPException(404)
        return sent(file)

    for pattern in patterns:
        routes.add_api_route(pattern, page, methods=["GET", "HEAD"])
    return routes


def sent(file: Path) -> FileResponse:
    """A page on its way to a browser, which asks each time whether it is a new one."""
    return FileResponse(file, headers={"x-content-type-options": "nosniff", "cache-control": "no-cache"})
