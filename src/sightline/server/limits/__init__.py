"""What is refused before any route sees it: wrong hosts, too many requests, strangers, too large bodies."""

from fastapi import FastAPI

from sightline.model.user import Role
from sightline.server.auth.guard import LOGIN, Guard
from sightline.server.installation import Installation
from sightline.server.limits.body import Bodies
from sightline.server.limits.gate import Gate
from sightline.server.limits.hosts import Hosts
from sightline.server.limits.rate import Rates

_PIPELINE = "/api/v1/video-pipeline"
PUBLIC = frozenset(
    {"/", "/health", "/health/live", "/health/ready", "/docs", "/docs/oauth2-redirect", "/openapi.json"}
    | {LOGIN, f"{_PIPELINE}/health/"}
)
"""Paths that strangers may ask for; all others need somebody who is known."""
EXEMPT = frozenset({"/health", "/health/live", "/health/ready", "/metrics", f"{_PIPELINE}/health/"})
"""Paths that may be asked for as often as anybody likes."""
UPLOADS = {
    "/api/v1/artifacts": Role.OPERATOR,
    f"{_PIPELINE}/decode/": Role.OPERATOR,
    f"{_PIPELINE}/video-info/": Role.VIEWER,
}
"""Paths that take large bodies, and who may send them: known before a byte of the body is read."""


def add_limits(app: FastAPI, services: Installation, guard: Guard) -> None:
    """Puts the limits round everything that ``app`` has so far."""
    settings = services.settings
    limits = settings.limits
    app.add_middleware(
        Bodies,
        most_bytes=int(limits.body_bytes),
        uploads=frozenset(UPLOADS),
        most_upload_bytes=int(limits.upload_bytes),
        chunk_timeout_s=limits.chunk_timeout_s,
    )
    app.add_middleware(Gate, guard=guard, public=PUBLIC, needs=UPLOADS)
    app.add_middleware(Rates, guard=guard, per_minute=limits.requests_per_minute, exempt=EXEMPT)
    app.add_middleware(
        Hosts, guard=guard, host=settings.host, names=settings.allowed_hosts, origins=settings.cors_origins
    )
