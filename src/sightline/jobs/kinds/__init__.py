"""Kinds of jobs, by name. Other packages add theirs under the entry point group ``sightline.job``."""

import importlib
from importlib.metadata import entry_points

from sightline.errors import OptionError
from sightline.jobs.kinds.kind import Kind as Kind
from sightline.jobs.kinds.kind import Params as Params
from sightline.jobs.kinds.kind import Step as Step
from sightline.jobs.kinds.kind import Task as Task

KINDS = {
    "track": "sightline.jobs.kinds.track:TRACK",
    "extract": "sightline.jobs.kinds.extract:EXTRACT",
    "clip": "sightline.jobs.kinds.clip:CLIP",
    "look": "sightline.jobs.kinds.look:LOOK",
    "snapshot": "sightline.jobs.kinds.snapshot:SNAPSHOT",
    "reconstruct": "sightline.jobs.kinds.reconstruct:RECONSTRUCT",
    "site": "sightline.jobs.kinds.site:SITE",
    "export": "sightline.jobs.kinds.export:EXPORT",
    "overlay": "sightline.jobs.kinds.export:OVERLAY",
    "drone": "sightline.jobs.kinds.drone:DRONE",
}
"""Name -> ``module:KIND``; imported only when asked for."""
GROUP = "sightline.job"


def names() -> list[str]:
    """All there are: ours first."""
    return [*KINDS, *sorted({point.name for point in entry_points(group=GROUP)} - set(KINDS))]


def kind(name: str) -> Kind:
    """The kind of that name.

    Raises:
        OptionError: there is none; the message lists those there are.
    """
    if name in KINDS:
        module, _, attribute = KINDS[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise OptionError(f"kind: no job {name[:64]!r}; there are: {', '.join(names())}")
    return next(iter(found)).load()
