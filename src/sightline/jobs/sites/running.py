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
from sightline.jobs.sites import rows
from sightline.jobs.sites.bringing import brought, opened
from sightline.jobs.sites.playing import Done, Playing
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


def run(site: Site, how: Watching, folder: Path, tell: Tell, stopped: Stopped) -> SiteResult:
    """Watches all parts, then settles who is who. Parts that were done before into this folder are not redone.

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
            missing |= without
            sizes |= {name: (view.width, view.height) for name, view in lookout.views.items()}
            moments = max(rows.end_of(path), moments)
    tell("settling who is who", 0, None)
    summary, _, _ = settled(site, seen, sizes, how.task_id, folder)
    files = (folder / "sightings.parquet", folder / "paths.csv")
    return SiteResult(summary | {"moments": moments, "missing": missing}, files, complete=True)


def task_of(site: Site, folder: Path) -> str:
    """Names identities of a run on a command line: the same folder, the same names."""
    return str(uuid5(NAMESPACE_URL, f"{site.id} {folder.absolute()}"))


def _told(tell: Tell, step: str, done: Done) -> None:
    tell(step, done.moments, done.total)
