"""All of a site's recordings, watched one part after the other into one folder."""

from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sightline.errors import OptionError
from sightline.executors.local import Stopped, Tell
from sightline.fetching import Policy
from sightline.formats.privacy import Privacy
from sightline.jobs.sites import rows
from sightline.jobs.sites.bringing import brought, opened
from sightline.jobs.sites.playing import Done, Playing
from sightline.jobs.sites.portraits import Watched
from sightline.jobs.sites.reporting import Story, write_report
from sightline.jobs.sites.settling import settled
from sightline.jobs.sites.showing import Show
from sightline.jobs.sites.telling import Telling
from sightline.jobs.sites.watching import Lookout, Part, Watching
from sightline.model.site import Site

_ANYWHERE = Policy(private_networks=tuple(map(ip_network, ("0.0.0.0/0", "::/0"))))
"""Who types a command may have all opened that the site's file says."""


@dataclass(frozen=True, slots=True)
class SiteResult:
    """What came of it."""

    summary: dict[str, Any]
    """In numbers, for people and machines."""
    files: tuple[Path, ...]
    """What was written."""
    complete: bool
    """False when stopped before the end."""


def run(site: Site, how: Watching, folder: Path, tell: Tell, stopped: Stopped, privacy: Privacy = "none") -> SiteResult:
    """Watches all parts, settles who is who, and writes a page to look at, on which ``privacy`` is kept.

    Parts that were done before into this folder are not redone.

    Raises:
        SightlineError: no video can be read, or an engine or option is wrong.
        OSError: a file cannot be written.
    """
    n_parts = max((len(watch.videos) for watch in site.watches), default=0)
    if not n_parts:
        raise OptionError(f"site {site.id!r} has no videos; add them to its file")
    seen: list[Path] = []
    sizes: dict[str, tuple[int, int]] = {}
    moments = 0
    missing: dict[str, str] = {}
    parts: list[Watched] = []
    for number in range(1, n_parts + 1):
        videos, gone = brought(site, number, folder / "videos", _ANYWHERE, tell, stopped)
        with opened(videos, gone, how.fps, _ANYWHERE) as (sources, without):
            part = Part(number, sources, moments, tuple(seen))
            lookout = Lookout(site, how, part)
            path = folder / f"seen-{number}.parquet"
            if not path.is_file():
                told = partial(_told, tell, f"watching part {number} of {n_parts}")
                Show(site, part, lookout, Playing(stopped, fps=how.fps), Telling(site.id), told, stopped).run(
                    path, None
                )
                if stopped():
                    path.unlink(missing_ok=True)
                    return SiteResult({"moments": moments}, tuple(seen), complete=False)
            seen.append(path)
            parts.append(Watched(videos, moments, how.fps))
            missing |= without
            sizes |= {name: (view.width, view.height) for name, view in lookout.views.items()}
            moments = max(rows.end_of(path), moments)
    tell("settling who is who", 0, None)
    summary, _ = settled(site, seen, sizes, how.task_id, folder)
    summary |= {"moments": moments, "missing": missing}
    tell("writing the report", 0, None)
    story = Story(site, folder, parts, summary, _made(site, how, moments), privacy)
    page = write_report(story, tell, stopped)
    return SiteResult(summary, (folder / "sightings.parquet", folder / "paths.csv", page), complete=True)


def _made(site: Site, how: Watching, moments: int) -> tuple[tuple[str, str], ...]:
    """How it was watched, for the report."""
    return (
        ("site", site.id),
        ("cameras", ", ".join(watch.id for watch in site.watches)),
        ("watched", f"{moments / how.fps:.0f} s, {how.fps:g} moments per second"),
        ("detector", how.detector),
        ("tracker", how.tracker),
        ("looks", how.embedder or "not used"),
    )


def task_of(site: Site, folder: Path) -> str:
    """Names identities of a run on a command line: the same folder, the same names."""
    return str(uuid5(NAMESPACE_URL, f"{site.id} {folder.absolute()}"))


def _told(tell: Tell, step: str, done: Done) -> None:
    tell(step, done.moments, done.total)
