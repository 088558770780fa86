"""A step carried out in a process of its own, with a receipt that it was done.

The receipt is the step's last act, written whole or not at all: from that moment on the step is not done again,
whoever is killed.
"""

import fcntl
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.jobs.kinds.kind import Task, Work


@dataclass(frozen=True, slots=True)
class Order:
    """A step to be carried out."""

    work: Work
    """Does it."""
    task: Task
    """What exactly; its folder is made new."""


def receipt(folder: Path) -> Mapping[str, Any] | None:
    """What the step in ``folder`` came to; None where it is not done."""
    try:
        return json.loads(_path(folder).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def carry_out(order: Order, tell: Tell, stopped: Stopped) -> None:
    """Does a step, unless it was done meanwhile; leaves a receipt unless it was stopped.

    One that was stopped or failed leaves nothing.
    """
    folder = order.task.folder
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever was at it before may still be on the way out
        if receipt(folder) is not None:
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        is_done = False
        try:
            outcome = order.work(order.task, tell, stopped)
            if not stopped():
                with whole(_path(folder)) as path:
                    path.write_text(json.dumps(dict(outcome), allow_nan=False), encoding="utf-8")
                is_done = True
        finally:
            if not is_done:
                shutil.rmtree(folder, ignore_errors=True)


def _path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.done.json")
