"""What commands share: progress that is quiet when nobody watches, and Ctrl-C that ends work cleanly."""

import json
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_FILE_WIDTH = 160
"""Characters across where there is no terminal to fit."""
out = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
"""For results."""
err = Console(stderr=True, highlight=False)
"""For progress, notes and errors, so that results can be piped."""


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on standard output, for machines."""
    sys.stdout.write(json.dumps(value, indent=2, default=str, allow_nan=False) + "\n")


def tell_lines(lines: Iterable[Path | str]) -> None:
    """Files or commands, one on each line, as they are: names may hold what would be markup."""
    for line in lines:
        out.print(f"  {line}", markup=False, soft_wrap=True)


class _Rate(ProgressColumn):
    """Pictures per second."""

    def render(self, task: Task) -> Text:
        """The rate so far, or nothing before there is one."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} {task.fields.get('unit', 'frames')}/s", style="cyan")


class Meter:
    """Steps of one piece of work on the terminal: one line each, with rate and time left."""

    def __init__(self, progress: Progress, prefix: str = "") -> None:
        self._progress = progress
        self._prefix = prefix
        self._steps: dict[str, Any] = {}

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Shows that ``done`` of ``total`` of ``step`` are done."""
        if step not in self._steps:
            self._steps[step] = self._progress.add_task(f"{self._prefix}{step}", total=total)
        self._progress.update(self._steps[step], completed=done, total=total)


@contextmanager
def progress() -> Iterator[Progress]:
    """A live display on standard error; silent when that is not a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal) as shown:
        yield shown


class Stop:
    """Whether somebody asked to stop: the first Ctrl-C asks, the second one breaks off."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        """True from the first Ctrl-C (or SIGTERM) on."""
        return self._asked

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        """Takes the signal.

        Raises:
            KeyboardInterrupt: somebody asked before.
        """
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        err.print("[yellow]stopping; what is done so far will be kept (Ctrl-C again to break off)")


@contextmanager
def stopping() -> Iterator[Stop]:
    """While inside, Ctrl-C and SIGTERM ask for an orderly end instead of breaking off."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
