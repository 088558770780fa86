"""Files of the history, as jobs: tables and reports, and videos with everybody in a box."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zipfile import ZIP_STORED, ZipFile

from pydantic import Field, model_validator

from sightline.errors import OptionError
from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.jobs.footage import policy_of
from sightline.jobs.kept import kept
from sightline.jobs.kinds.kind import Kind, Params, Step, Task

if TYPE_CHECKING:
    from sightline.jobs.history.answers import Answers
    from sightline.jobs.history.story import Chronicle

Number = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], Field(max_length=1000)]


class _Span(Params):
    """Which part of the history."""

    task_id: Number | None = None
    """One task."""
    from_s: Annotated[float | None, Field(allow_inf_nan=False)] = None
    """Since when, in seconds on the site's clock."""
    to_s: Annotated[float | None, Field(allow_inf_nan=False)] = None
    """Until when."""
    cameras: Names = ()
    """Only these; none: all."""


class ExportParams(_Span):
    """What to export, and how."""

    what: Literal["tracking-data", "analytics-report"] = "tracking-data"
    """Every box, or what is known of people, zones, lines and meetings."""
    format: Literal["csv", "json", "parquet", "xlsx", "png"] = "csv"
    """Of the file; a report may be a picture, the heatmap (png)."""
    site: Annotated[str | None, Field(max_length=64)] = None
    """A site: the newest task of each of its recordings. Either this or ``task_id`` is needed."""
    from_utc_s: Annotated[float | None, Field(allow_inf_nan=False)] = None
    """Since when, in seconds since 1970."""
    to_utc_s: Annotated[float | None, Field(allow_inf_nan=False)] = None
    """Until when."""
    people: Names = ()
    """Ids of people; none: all."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "ExportParams":
        """It is about something, in a format that there is of it."""
        if (self.task_id is None) == (self.site is None):
            raise ValueError("give either task_id or site")
        if self.format == "png" and self.what != "analytics-report":
            raise ValueError("format: boxes are no picture; take csv, json, parquet or xlsx")
        return self


class OverlayParams(_Span):
    """Whose video."""

    task_id: Number
    """The task."""
    privacy: Literal["none", "faces", "bodies"] = "none"
    """What is covered of everybody who was found; who was not found is not covered."""


def export(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """Writes the file and keeps it.

    Raises:
        SightlineError: there is no such task, or it is too much for one file.
        OSError: it cannot be written.
    """
    from sightline.jobs.history import exporting  # noqa: PLC0415  (whoever takes jobs in needs none of it)

    asked = ExportParams.model_validate(task.params)
    path = task.folder / f"{asked.what}.{asked.format}"
    with _opened(task, asked.model_dump(include=_SPAN)) as (chronicle, answers):
        if asked.format == "png":
            exporting.write_heatmap(answers, path)
            summary = {}
        elif asked.what == "tracking-data":
            tables = exporting.tracking_data(chronicle, answers, asked.cameras, asked.people)
            summary = {"rows": exporting.write_tracking_data(tables, path, asked.format)}
        else:
            exporting.write_report(answers, path, asked.format)
            summary = {"people": len(answers.people())}
    return {"summary": summary, "artifacts": kept(task, [path], tell, stopped)}


def overlay(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """Draws everybody into the recordings and keeps the video; of several cameras, an archive of all.

    Raises:
        SightlineError: there is no such task, or its recordings cannot be read any more.
        OSError: it cannot be written.
    """
    from sightline.formats.privacy import stricter  # noqa: PLC0415
    from sightline.jobs.history.overlaying import Overlay, overlaid  # noqa: PLC0415  (codecs take their time)

    asked, paths = OverlayParams.model_validate(task.params), list[Path]()
    with _opened(task, asked.model_dump(include=_SPAN)) as (chronicle, answers):
        if answers.site is None:
            raise OptionError("the site's file is gone, and with it where its recordings are; put it back into sites")
        cameras = asked.cameras or [watch.id for watch in answers.site.watches]
        pictures = 0
        for camera in cameras:
            wanted = Overlay(
                camera=camera,
                folder=task.folder / "videos" / camera,
                policy=policy_of(task.settings),
                privacy=stricter(task.settings.privacy, asked.privacy),
            )
            paths.append(task.folder / f"{camera}.mp4")
            pictures += overlaid(chronicle, answers, wanted, paths[-1], tell, stopped)
    if len(paths) > 1:
        paths = [_together(paths, task.folder / "video-with-overlays.zip")]
    return {"summary": {"pictures": pictures}, "artifacts": kept(task, paths, tell, stopped)}


def _together(paths: list[Path], path: Path) -> Path:
    with whole(path) as partial, ZipFile(partial, "w", ZIP_STORED) as archive:  # videos are packed already
        for one in paths:
            archive.write(one, one.name)
    return path


@contextmanager
def _opened(task: Task, span: dict[str, Any]) -> Iterator[tuple["Chronicle", "Answers"]]:
    from sightline.jobs.history.reading import answers_about  # noqa: PLC0415
    from sightline.jobs.history.story import Chronicle, Span  # noqa: PLC0415
    from sightline.jobs.sites.shelf import Sites  # noqa: PLC0415
    from sightline.stores.sql.database import database_at  # noqa: PLC0415

    engine = database_at(task.settings.database_url())
    try:
        chronicle = Chronicle(engine)
        yield chronicle, answers_about(chronicle, Sites(task.settings.sites()), Span(**span))
    finally:
        engine.dispose()


_SPAN = {"task_id", "site", "from_s", "to_s", "from_utc_s", "to_utc_s"}

EXPORT = Kind(
    name="export",
    about="Writes what is kept of watched sites into a file for other programs: boxes, or a report.",
    queue="light",
    params=ExportParams,
    steps=(Step(name="export", shown="exporting", share=1.0, work=export),),
)
OVERLAY = Kind(
    name="overlay",
    about="Draws everybody who was found in a watched site into its recordings.",
    queue="heavy",
    params=OverlayParams,
    steps=(Step(name="overlay", shown="drawing", share=1.0, work=overlay),),
)
