"""The folder of each run, for people and scripts on this machine: its pictures, ``metadata.json`` and what came of it.

The database and the kept files are the truth; the folder only shows it, and shares its blocks where it can.
"""

import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import final

from sightline.errors import SightlineError
from sightline.files import whole
from sightline.model.run import Run
from sightline.server.installation import Installation
from sightline.server.runs.shapes import RunView

METADATA = "metadata.json"
_SHOWN = {"glb": "scene.glb", "predictions": "predictions.npz"}
_log = logging.getLogger(__name__)


@final
class Folders:
    """``storage/runs/RUN`` in the data folder, one for each run."""

    def __init__(self, services: Installation) -> None:
        self._services = services
        self._root = services.settings.data_folder / "storage" / "runs"

    def show(self, run: Run, view: RunView) -> None:
        """Has the folder show the run as it is. That it cannot is logged, and harms nobody else."""
        folder = self._root / run.id
        outcome = run.outcome or {"files": {}}
        made = {name: outcome["files"][kind] for kind, name in _SHOWN.items() if kind in outcome["files"]}
        try:
            self._fill(folder / "images", run.files)
            self._fill(folder, made)
            with whole(folder / METADATA) as path:
                path.write_text(view.model_dump_json(exclude_none=True, indent=2) + "\n", encoding="utf-8")
        except (SightlineError, OSError) as error:
            _log.warning("run=%s folder not written: %s", run.id, error)

    def remove(self, run: Run) -> None:
        """Has it be gone."""
        shutil.rmtree(self._root / run.id, ignore_errors=True)

    def _fill(self, folder: Path, files: Mapping[str, str]) -> None:
        """Puts kept files there under their names; in the folder of pictures, others go."""
        folder.mkdir(parents=True, exist_ok=True)
        if folder.name == "images":
            for left in folder.iterdir():
                if left.name not in files:
                    left.unlink()
        for name, number in files.items():
            key = self._services.files.get(number).key
            with self._services.artifacts.path(key) as kept:
                if not _is_same(folder / name, kept):
                    _link(kept, folder / name)


def _is_same(path: Path, kept: Path) -> bool:
    """Whether it is the kept file under another name, or a copy of it as far as size and time tell."""
    try:
        here, there = path.stat(), kept.stat()
    except FileNotFoundError:
        return False
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _link(kept: Path, path: Path) -> None:
    with whole(path) as meantime:
        try:
            os.link(kept, meantime)
        except OSError:  # another file system, or one without links
            shutil.copyfile(kept, meantime)
