"""``sightline history``: who was where when sites were watched, files of it, and what people put right."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from sightline.cli.accounts import Config, Data
from sightline.cli.console import Meter, err, out, print_json, progress, stopping
from sightline.errors import OptionError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from sightline.jobs.history.answers import Answers
    from sightline.jobs.history.correcting import Corrector
    from sightline.jobs.history.story import Chronicle
    from sightline.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="Who was where when sites were watched: by the server, or by [bold]sightline run[/bold] and then "
    "[bold]sightline history note[/bold]. Ask, export, put right who is who, forget.",
)
TaskId = Annotated[str | None, typer.Option("--task", help="A task; unsaid, the newest.")]
SiteId = Annotated[str | None, typer.Option("--site", help="A site: the newest task of each of its recordings.")]
From = Annotated[float | None, typer.Option("--from", help="Since when, in seconds on the site's clock.")]
To = Annotated[float | None, typer.Option("--to", help="Until when.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]
Person = Annotated[str, typer.Argument(help="Id of a person, or how it begins.")]
Covered = Literal["none", "faces", "bodies"]
_OWNER = "command line"


class Question(StrEnum):
    """What can be asked."""

    dashboard = "dashboard"
    dwell = "dwell"
    visits = "visits"
    lines = "lines"
    flow = "flow"
    occupancy = "occupancy"
    speeds = "speeds"
    meetings = "meetings"
    trajectories = "trajectories"
    heatmap = "heatmap"


class What(StrEnum):
    """What can be exported."""

    tracking_data = "tracking-data"
    analytics_report = "analytics-report"
    heatmap = "heatmap"
    video = "video"


@app.command()
def note(
    run: Annotated[Path, typer.Argument(help="Folder of [bold]sightline run[/bold].")],
    site: Annotated[Path, typer.Argument(metavar="SITE.toml", help="The site that was run.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Write what a run found into the history. Doing it again changes nothing."""
    from sightline.formats.sites.toml import read  # noqa: PLC0415
    from sightline.jobs.history.noting import note_run  # noqa: PLC0415

    described = read(site)
    with _opened(config, data) as (settings, engine):
        task = note_run(engine, described, run)
        if described.id not in _sites(settings).ids():
            why = "its zones and lines are not counted until its file is there"
            err.print(
                f"[yellow]no site {escape(described.id)} in {escape(str(settings.sites()))}: {why}", soft_wrap=True
            )
    err.print(f"noted as task {UUID(task.task_id)}", markup=False)


@app.command("list")
def list_(config: Config = None, data: Data = None, json: Json = False) -> None:
    """List what was watched and is kept."""
    from sightline.jobs.history.answers import told  # noqa: PLC0415
    from sightline.stores.sql.history import History  # noqa: PLC0415

    with _opened(config, data) as (_, engine):
        tasks = [told(task) for task in History(engine).tasks()]
    if json:
        print_json({"tasks": tasks})
        return
    table = Table("task", "site", "recorded from", "watched at", "seconds", box=None, pad_edge=False)
    for one in tasks:
        recorded = one["recorded_from"] or "unknown"
        table.add_row(
            one["task_id"], escape(one["environment_id"]), recorded, one["watched_at"], f"{one['length_s']:g}"
        )
    out.print(table)


@app.command()
def people(
    task: TaskId = None, site: SiteId = None, from_s: From = None, to_s: To = None,
    config: Config = None, data: Data = None, json: Json = False,
) -> None:  # fmt: skip
    """List everybody: when, by which cameras, how long, how far, how fast."""
    with _answers(config, data, Asked(task, site, from_s, to_s)) as (_, answers):
        everybody = answers.people()
    if json:
        print_json({"people": everybody})
        return
    table = Table("person", "name", "from s", "to s", "cameras", "there s", "m", "m/s", box=None, pad_edge=False)
    for one in everybody:
        numbers = ("" if one[key] is None else f"{one[key]:.1f}" for key in ("there_s", "distance_m", "mean_mps"))
        ends = f"{one['first']['t_s']:.1f}", f"{one['last']['t_s']:.1f}"
        table.add_row(one["person_id"], escape(one["name"] or ""), *ends, escape(" ".join(one["cameras"])), *numbers)
    out.print(table)


@app.command()
def ask(
    question: Annotated[Question, typer.Argument(help="What about.")],
    task: TaskId = None, site: SiteId = None, from_s: From = None, to_s: To = None,
    config: Config = None, data: Data = None,
    near_m: Annotated[float, typer.Option(help="Of meetings: how near.")] = 1.5,
    least_s: Annotated[float, typer.Option(help="Of meetings: how long.")] = 3.0,
    cell_m: Annotated[float, typer.Option(min=0.05, max=100, help="Of heatmaps: side of a cell.")] = 0.5,
    bin_s: Annotated[float, typer.Option(min=0.1, help="Of counts over time: length of a bin.")] = 10.0,
    every_s: Annotated[float, typer.Option(min=0.0, help="Of trajectories: no places closer in time.")] = 0.2,
) -> None:  # fmt: skip
    """Print an answer as JSON: the same as the server's under [bold]/api/v1/analytics[/bold]."""
    with _answers(config, data, Asked(task, site, from_s, to_s)) as (_, answers):
        found: dict[Question, Callable[[], Any]] = {
            Question.dashboard: answers.dashboard,
            Question.dwell: answers.dwell,
            Question.visits: answers.zone_visits,
            Question.lines: lambda: answers.lines(bin_s),
            Question.flow: answers.flow,
            Question.occupancy: lambda: answers.occupancy(bin_s),
            Question.speeds: answers.speeds,
            Question.meetings: lambda: answers.meetings(near_m, least_s),
            Question.trajectories: lambda: answers.trajectories(every_s=every_s),
            Question.heatmap: lambda: answers.heatmap(cell_m),
        }
        print_json({question.value: found[question]()})


@app.command()
def export(
    what: Annotated[What, typer.Argument(help="What to write.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file: .csv, .json, .parquet, .xlsx; .png; .mp4.")],
    task: TaskId = None, site: SiteId = None, from_s: From = None, to_s: To = None,
    camera: Annotated[
        list[str] | None, typer.Option(help="Only this camera; repeat as needed. A video needs one.")
    ] = None,
    person: Annotated[list[str] | None, typer.Option(help="Only this person; may be repeated.")] = None,
    privacy: Annotated[
        Covered,
        typer.Option(envvar="SIGHTLINE_PRIVACY", help="In videos: what is covered of everybody who was found."),
    ] = "none",
    config: Config = None, data: Data = None,
) -> None:  # fmt: skip
    """Write a file for other programs: every box, a report, a heatmap, or a video with everybody in a box."""
    from sightline.jobs.history import exporting  # noqa: PLC0415

    kind = _kind(what, output)
    with _answers(config, data, Asked(task, site, from_s, to_s)) as (chronicle, answers):
        if what is What.video:
            _video(chronicle, answers, camera or [], privacy, output)
        elif what is What.heatmap:
            exporting.write_heatmap(answers, output)
        elif what is What.analytics_report:
            exporting.write_report(answers, output, kind)
        else:
            tables = exporting.tracking_data(chronicle, answers, camera or (), person or ())
            exporting.write_tracking_data(tables, output, kind)
    err.print(f"wrote {output}", markup=False)


@app.command()
def merge(person: Person, into: Annotated[str, typer.Argument(help="Who that is.")],
          config: Config = None, data: Data = None) -> None:  # fmt: skip
    """Say that two people are one; from now on, and in later runs over the same recordings."""
    with _corrector(config, data) as (corrector, found):
        _print(corrector.merge(found(person), found(into), _OWNER))


@app.command()
def split(
    person: Person,
    at_s: Annotated[float, typer.Argument(metavar="SECONDS", help="From when on, on the site's clock.")],
    task: Annotated[str | None, typer.Option("--task", help="In which task, where there are several.")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Say that from some time on a person is somebody else."""
    with _corrector(config, data) as (corrector, found):
        _print(corrector.split(found(person), at_s, _OWNER, None if task is None else _hex(task)))


@app.command()
def rename(
    person: Person, name: Annotated[str, typer.Argument(help="Their name; empty: none.")],
    config: Config = None, data: Data = None,
) -> None:  # fmt: skip
    """Give a person a name."""
    with _corrector(config, data) as (corrector, found):
        _print(corrector.rename(found(person), name, _OWNER))


@app.command()
def corrections(config: Config = None, data: Data = None, json: Json = False) -> None:
    """List what was put right."""
    with _corrector(config, data) as (corrector, _):
        every = [asdict(one) for one in corrector.kept.of(undone=True)]
    if json:
        print_json({"corrections": every})
        return
    table = Table("correction", "site", "kind", "person", "becomes", "at s", "name", "holds", box=None, pad_edge=False)
    for one in every:
        at = "" if one["at_s"] is None else f"{one['at_s']:g}"
        holds = "yes" if one["undone_utc_s"] is None else "no"
        shown = one["id"], escape(one["site"]), one["kind"], one["identity"], one["becomes"] or "", at
        table.add_row(*shown, escape(one["name"] or ""), holds)
    out.print(table)


@app.command()
def undo(correction: Annotated[str, typer.Argument(help="Number of a correction.")],
         config: Config = None, data: Data = None) -> None:  # fmt: skip
    """Take a correction back."""
    with _corrector(config, data) as (corrector, _):
        undone = corrector.undo(correction)
    err.print(f"taken back: {undone.kind} of {undone.identity}", markup=False)


@app.command()
def forget(
    person: Person,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Remove everything of a person: rows, places, names, their part of kept files, and exports. For good.

    Recordings are not touched.
    """
    from sightline.jobs.history.forgetting import Forgetting  # noqa: PLC0415
    from sightline.stores.artifacts import artifacts_at  # noqa: PLC0415

    with _opened(config, data) as (settings, engine):
        corrector, identity = _named(engine, person)
        if not yes and not typer.confirm(f"remove everything of {identity} for good?"):
            return
        Forgetting(engine, artifacts_at(settings.artifacts_url())).erase(corrector.erase(identity, _OWNER))
    err.print("removed", markup=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the history, as it was given."""

    task: str | None
    """A task."""
    site: str | None
    """A site."""
    from_s: float | None
    """Since when."""
    to_s: float | None
    """Until when."""


@contextmanager
def _answers(config: Path | None, data: Path | None, asked: Asked) -> Iterator[tuple["Chronicle", "Answers"]]:
    from sightline.jobs.history.reading import answers_about  # noqa: PLC0415
    from sightline.jobs.history.story import Chronicle, Span  # noqa: PLC0415

    if asked.task is not None and asked.site is not None:
        raise OptionError("--task and --site exclude each other")
    with _opened(config, data) as (settings, engine):
        chronicle, task_id = Chronicle(engine), None if asked.task is None else _hex(asked.task)
        if task_id is None and asked.site is None:
            tasks = chronicle.history.tasks()
            if not tasks:
                raise OptionError("the history is empty: watch a site with the server, or note a run")
            task_id = tasks[-1].task_id
        span = Span(site=asked.site, task_id=task_id, from_s=asked.from_s, to_s=asked.to_s)
        yield chronicle, answers_about(chronicle, _sites(settings), span)


@contextmanager
def _corrector(config: Path | None, data: Path | None) -> Iterator[tuple["Corrector", Callable[[str], str]]]:
    """What puts right, and what takes how an id begins and gives the id."""
    with _opened(config, data) as (_, engine):
        yield _named(engine, None)[0], lambda person: _named(engine, person)[1]


def _named(engine: "Engine", person: str | None) -> tuple["Corrector", str]:
    """The person whose id begins so.

    Raises:
        OptionError: there are several.
    """
    from sightline.jobs.history.correcting import Corrector  # noqa: PLC0415
    from sightline.stores.sql.history import History  # noqa: PLC0415

    corrector = Corrector(engine)
    if person is None:
        return corrector, ""
    sites = {task.site for task in History(engine).tasks()}
    ids = sorted({one for site in sites for one in corrector.people(site) if one.startswith(person)})
    if len(ids) > 1:
        raise OptionError(f"{len(ids)} people begin with {person!r}; give more of the id")
    return corrector, ids[0] if ids else person


@contextmanager
def _opened(config: Path | None, data: Path | None) -> Iterator[tuple["Settings", "Engine"]]:
    from sightline.settings import load  # noqa: PLC0415
    from sightline.stores.sql.database import database_at  # noqa: PLC0415

    settings = load(config, data_folder=data)
    settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = database_at(settings.database_url())
    try:
        yield settings, engine
    finally:
        engine.dispose()


def _sites(settings: "Settings") -> Any:
    from sightline.jobs.sites.shelf import Sites  # noqa: PLC0415

    return Sites(settings.sites())


def _video(chronicle: "Chronicle", answers: "Answers", cameras: list[str], privacy: Covered, output: Path) -> None:
    from sightline.fetching import Policy  # noqa: PLC0415
    from sightline.jobs.history.overlaying import Overlay, overlaid  # noqa: PLC0415

    known = [watch.id for watch in answers.site.watches] if answers.site else []
    chosen = cameras or (known if len(known) == 1 else [])
    if len(chosen) != 1:
        raise OptionError(f"--camera: a video needs one of {', '.join(known)}")
    with stopping() as stopped, progress() as shown, TemporaryDirectory() as folder:
        wanted = Overlay(camera=chosen[0], folder=Path(folder), policy=Policy(), privacy=privacy)
        overlaid(chronicle, answers, wanted, output, Meter(shown), stopped)


def _kind(what: What, output: Path) -> Any:
    """The format that the file's name says.

    Raises:
        OptionError: there is none such of that.
    """
    kinds = {What.video: ["mp4"], What.heatmap: ["png"]}.get(what, ["csv", "json", "parquet", "xlsx"])
    kind = output.suffix.lower().removeprefix(".")
    if kind not in kinds:
        raise OptionError(f"{output}: {what.value} ends in {', '.join('.' + one for one in kinds)}")
    return kind


def _hex(task: str) -> str:
    """The number of a task as the history has it.

    Raises:
        OptionError: it is none.
    """
    try:
        return UUID(task).hex
    except ValueError:
        raise OptionError(f"{task!r} is no number of a task; see sightline history list") from None


def _print(correction: Any) -> None:
    """The number of a correction alone on standard output; what it did beside it."""
    sys.stdout.write(f"{correction.id}\n")
    more = f", who is {correction.becomes} from then on" if correction.kind == "split" else ""
    err.print(f"{correction.kind}: {correction.identity}{more}", markup=False)
