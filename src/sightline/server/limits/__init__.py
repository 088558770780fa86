"""What is refused before any route sees it: wrong hosts, too many requests, strangers, too large bodies."""

import re
from collections.abc import Container, Iterator, Mapping
from typing import final

from fastapi import FastAPI

from sightline.model.user import Role
from sightline.server.auth.guard import LOGIN, Guard
from sightline.server.installation import Installation
from sightline.server.limits.body import Bodies
from sightline.server.limits.gate import Gate
from sightline.server.limits.hosts import Hosts
from sightline.server.limits.rate import Rates
from sightline.server.pages import Pages

_PIPELINE = "/api/v1/video-pipeline"
PUBLIC = frozenset(
    {"/", "/health", "/api/health", "/health/live", "/health/ready", "/docs", "/docs/oauth2-redirect", "/openapi.json"}
    | {LOGIN, f"{_PIPELINE}/health/", "/vggt_p/health"}
)
"""Paths that strangers may ask for, besides pages; all others need somebody who is known."""
EXEMPT = frozenset(
    {"/health", "/api/health", "/health/live", "/health/ready", "/metrics", "/vggt_p/health", f"{_PIPELINE}/health/"}
)
"""Paths that may be asked for as often as anybody likes."""
_EXACT = {
    "/api/v1/artifacts": Role.OPERATOR,
    f"{_PIPELINE}/decode/": Role.OPERATOR,
    f"{_PIPELINE}/video-info/": Role.VIEWER,
    "/process-upload": Role.OPERATOR,
    "/vggt_p/process-upload": Role.OPERATOR,
}
_OF_RUNS = re.compile(r"/api/runs/[^/]{1,64}/(?:images|video)")


@final
class Public(Container[str]):
    """Paths that strangers may ask for."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def __contains__(self, path: object) -> bool:
        """Whether this is one: of ours, or a page."""
        return path in PUBLIC or path in self._pages


@final
class Uploads(Mapping[str, Role]):
    """Paths that take large bodies, and who may send them: known before a byte of the body is read."""

    def __getitem__(self, path: str) -> Role:
        """Who may send it."""
        return Role.OPERATOR if _OF_RUNS.fullmatch(path) else _EXACT[path]

    def __iter__(self) -> Iterator[str]:
        """Those that are always the same."""
        return iter(_EXACT)

    def __len__(self) -> int:
        """How many those are."""
        return len(_EXACT)


def add_limits(app: FastAPI, services: Installation, guard: Guard) -> None:
    """Puts the limits round everything that ``app`` has so far."""
    settings = services.settings
    limits = settings.limits
    app.add_middleware(
        Bodies,
        most_bytes=int(limits.body_bytes),
        uploads=Uploads(),
        most_upload_bytes=int(limits.upload_bytes),
        chunk_timeout_s=limits.chunk_timeout_s,
    )
    app.add_middleware(Gate, guard=guard, public=Public(Pages(settings)), needs=Uploads())
    app.add_middleware(Rates, guard=guard, per_minute=limits.requests_per_minute, exempt=EXEMPT)
    app.add_middleware(
        Hosts, guard=guard, host=settings.host, names=settings.allowed_hosts, origins=settings.cors_origins
    )
