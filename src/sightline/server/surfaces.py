"""The surfaces by name: each is what one of the replaced systems offered, or the shell they all stand in."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter

from sightline.server.analytics.routes import router as analytics
from sightline.server.auth.guard import Guard
from sightline.server.drone.routes import router as drone
from sightline.server.installation import Installation
from sightline.server.runs.routes import router as runs
from sightline.server.tracking.routes import router as tracking
from sightline.server.video_pipeline.routes import router as video_pipeline

Router = Callable[[Installation, Guard], APIRouter]

SURFACES: Mapping[str, Router] = {
    "video-pipeline": video_pipeline,
    "runs": runs,
    "tracking": tracking,
    "drone": drone,
    "analytics": analytics,
}
"""Name, as in ``sightline serve --only NAME``, and what makes its routes."""
