"""Files that came of a job, kept."""

import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sightline.executors.local import Stopped, Tell
from sightline.jobs.kinds.kind import Task
from sightline.stores.artifacts import artifacts_at

_TYPES = {".parquet": "application/vnd.apache.parquet", ".csv": "text/csv", ".mp4": "video/mp4", ".jpg": "image/jpeg"}


def kept(task: Task, paths: Iterable[Path], tell: Tell, stopped: Stopped) -> list[dict[str, Any]]:
    """Keeps the files; what the job's row and the rows of files are to say of them.

    Raises:
        StoreError: they cannot be kept.
    """
    store, found = artifacts_at(task.settings.artifacts_url()), []
    every = list(paths)
    for done, path in enumerate(every):
        if stopped():
            break
        tell("keeping files", done, len(every))
        stored = store.put(path)
        found.append({"name": path.name, "media_type": _media_type(path), "key": stored.key, "n_bytes": stored.n_bytes})
    return found


def keep(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """A step that keeps the ``files`` which the step before left in its folder; its summary stays the summary.

    Raises:
        StoreError: they cannot be kept.
    """
    name, made = list(task.earlier.items())[-1]
    folder = task.folder.with_name(name)
    paths = [folder / file for file in made["files"]]
    return {"summary": made["summary"], "artifacts": kept(task, paths, tell, stopped)}


def _media_type(path: Path) -> str:
    return _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
