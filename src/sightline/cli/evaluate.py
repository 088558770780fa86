"""``sightline evaluate``: tracks against the truth."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from sightline import wiring
from sightline.cli.console import err, out, print_json
from sightline.cli.sequences import Sequence, n_frames, read, sequences
from sightline.errors import FormatError, OptionError
from sightline.evaluation import MEANING, Scores, combined, forgiven, mot_challenge
from sightline.evaluation import evaluate as scored
from sightline.evaluation.pairing import first_double
from sightline.evaluation.preprocessing import DISTRACTORS
from sightline.model.tracks import Tracks

SHARES = ("HOTA", "DetA", "AssA", "IDF1", "MOTA")
COUNTS = ("FP", "FN", "IDSW", "MT", "ML")
ALL = "all together"


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts."""

    iou: float
    """Overlap from which boxes match."""
    mot_challenge: bool
    """As that benchmark."""
    visible: float
    """Share that can be seen of the true boxes that count."""


def evaluate(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="Tracks, or a folder of them.")],
    truth: Annotated[
        Path, typer.Argument(metavar="TRUTH", help="True tracks; or a folder of SEQ.*, SEQ/gt/gt.txt or SEQ/truth.*")
    ],
    form: Annotated[
        str | None,
        typer.Option("--format", help=f"{', '.join(wiring.ENGINES['format'])} (default: what the file's name tells)"),
    ] = None,
    challenge: Annotated[
        bool,
        typer.Option(
            "--mot-challenge/--plain",
            help="Score as MOT16 and MOT17 do: pedestrians only, found distractors forgiven. "
            "Plain: all true boxes count, but those of confidence 0 are neither right nor wrong.",
        ),
    ] = False,
    iou: Annotated[float, typer.Option(help="Overlap from which boxes match, for MOTA and IDF1.")] = 0.5,
    visible: Annotated[
        float, typer.Option(help="True boxes of which a smaller share can be seen are neither right nor wrong.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
) -> None:
    """Score tracks against the truth: HOTA, IDF1, MOTA and their parts, as TrackEval 1.3.0 counts them.

    Give two files, or two folders whose files are matched by name.
    """
    if form is not None and form not in wiring.names("format"):
        raise OptionError(f"no format {form!r}; there are: {', '.join(wiring.names('format'))}")
    if not 0 < iou <= 1:
        raise OptionError(f"--iou must be above 0 and at most 1, not {iou:g}")
    if not 0 <= visible <= 1:
        raise OptionError(f"--visible must be 0 to 1, not {visible:g}")
    found, missing = sequences(result, truth, form)
    rules = Rules(iou=iou, mot_challenge=challenge, visible=visible)
    scores = {sequence.name: _score(sequence, form, rules) for sequence in found}
    together = combined(list(scores.values()))
    for name in missing:
        err.print(f"note: {name} has a truth but no result; it is left out", style="yellow", markup=False)
    if as_json:
        each = {name: score.numbers() for name, score in scores.items()}
        print_json({"settings": asdict(rules), "sequences": each, "combined": together.numbers(), "missing": missing})
        return
    out.print(_table(scores if len(scores) == 1 else scores | {ALL: together}))
    out.print()
    _teach(iou)


def _score(sequence: Sequence, form: str | None, rules: Rules) -> Scores:
    """The scores of one sequence.

    Raises:
        FormatError: a file cannot be read or scored; names it.
    """
    truth, found = _tracks(sequence.truth, form), _tracks(sequence.result, form)
    if not len(truth):
        raise FormatError(f"{sequence.truth}: holds no boxes, so there is nothing to score against")
    _check_frames(sequence, truth, found)
    hidden = _hidden(sequence, truth, rules.visible)
    if rules.mot_challenge:
        try:
            truth, found = mot_challenge(*forgiven(truth, found, hidden))
        except ValueError as error:
            raise FormatError(f"{sequence.truth}: {error} (--plain)") from None
    else:
        if DISTRACTORS & {truth.classes[label] for label in set(truth.label.tolist())}:
            note = "marks distractors as MOT Challenge does; --mot-challenge scores it as the benchmark would"
            err.print(f"note: {sequence.truth} {note}", style="yellow", markup=False, soft_wrap=True)
        truth, found = forgiven(truth, found, hidden | (truth.score == 0))
    if not len(truth):
        raise FormatError(f"{sequence.truth}: no box is left to score (confidence 0, hidden, or no pedestrian)")
    return scored(truth, found, iou=rules.iou)


def _hidden(sequence: Sequence, truth: Tracks, visible: float) -> np.ndarray:
    """Which true boxes are seen less than asked for.

    Raises:
        FormatError: the truth does not say how much can be seen.
    """
    if not visible:
        return np.zeros(len(truth), bool)
    if "visibility" not in truth.extra:
        raise FormatError(f"{sequence.truth}: has no column visibility, so --visible cannot be judged")
    return truth.extra["visibility"] < visible


def _tracks(path: Path, form: str | None) -> Tracks:
    """The tracks in ``path``.

    Raises:
        FormatError: it cannot be read, or a track has two boxes in one picture.
    """
    tracks = read(path, form)
    if twice := first_double(tracks):
        raise FormatError(f"{path}: track {twice[0]} is twice in frame {twice[1]} (frames counted from 0)")
    return tracks


def _check_frames(sequence: Sequence, truth: Tracks, found: Tracks) -> None:
    """Refuses results that cannot be of the truth's video; says so where some pictures lie outside it.

    Raises:
        FormatError: a frame is beyond the sequence's known end, or no frame is in both.
    """
    if not len(found):
        err.print(f"note: {sequence.result} holds no tracks", style="yellow", markup=False, soft_wrap=True)
        return
    end, last = n_frames(sequence.truth), int(found.frame_index.max())
    if end is not None and last >= end:
        raise FormatError(
            f"{sequence.result}: frame {last} (counted from 0) is beyond the {end} frames of the sequence"
        )
    if not set(found.frame_index.tolist()) & set(truth.frame_index.tolist()):
        ours, theirs = (f"{t.frame_index.min()} to {t.frame_index.max()}" for t in (found, truth))
        raise FormatError(
            f"{sequence.result}: none of its frames ({ours}, counted from 0) is in {sequence.truth} ({theirs}); "
            "are both of the same video, at the same frame rate?"
        )
    beyond = int((found.frame_index > truth.frame_index.max()).sum())
    if beyond and end is None:
        note = f"{beyond} boxes of {sequence.result} lie after the last frame of the truth; they count as false"
        err.print(f"note: {note}", style="yellow", markup=False, soft_wrap=True)


def _table(scores: dict[str, Scores]) -> Table:
    """One row for each sequence, the last one for all where there are several."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("", overflow="fold", min_width=12)
    for name in (*SHARES, *COUNTS, "ids"):
        style = "bold" if name == "HOTA" else None
        table.add_column(name, justify="right", no_wrap=True, style=style, header_style="bold cyan")
    for name, score in scores.items():
        if name == ALL:
            table.add_section()
        numbers = score.numbers()
        shares, counts = [f"{100 * numbers[n]:5.1f}" for n in SHARES], [f"{numbers[n]:4d}" for n in COUNTS]
        table.add_row(
            escape(name),
            *shares,
            *counts,
            f" {score.n_found_ids}/{score.n_truth_ids}",
            style="bold" if name == ALL else None,
        )
    return table


def _teach(iou: float) -> None:
    """What the columns mean."""
    for name in (*SHARES, *COUNTS, "ids"):
        out.print(f"  [cyan]{name:<5}[/cyan][dim]{MEANING[name]}[/dim]", soft_wrap=True)
    out.print(f"  [dim]Shares in %; boxes match from an overlap (IoU) of {iou:g}, HOTA over .05 to .95.[/dim]")
