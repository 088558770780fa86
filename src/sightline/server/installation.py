"""An installation: its stores and what else the surfaces share, opened once, closed at the end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from sightline.fetching.policy import Policy
from sightline.jobs.desk import Desk
from sightline.jobs.footage import policy_of
from sightline.live import Hub, hub_at
from sightline.settings import Settings
from sightline.stores.artifacts import Artifacts, artifacts_at
from sightline.stores.sql.artifacts import ArtifactRecords
from sightline.stores.sql.cameras import Cameras
from sightline.stores.sql.database import database_at
from sightline.stores.sql.jobs import Jobs


@dataclass(frozen=True, slots=True, eq=False)
class Installation:
    """Everything that a route may need."""

    settings: Settings
    """What the installation is set to."""
    engine: Engine
    """The database."""
    jobs: Jobs
    """Jobs, as they stand."""
    desk: Desk
    """Takes jobs in, cancels them, has them tried again."""
    cameras: Cameras
    """Cameras of the video pipeline."""
    files: ArtifactRecords
    """What is known of kept files."""
    artifacts: Artifacts
    """The bytes of kept files."""
    policy: Policy
    """Which addresses may be opened for a client."""
    hub: Hub
    """Live messages."""
    ends: list[Callable[[], None]] = field(default_factory=list)
    """Called when the server is told to stop: streams without an end of their own end."""


@contextmanager
def opened(settings: Settings) -> Iterator[Installation]:
    """An installation, for a while.

    Raises:
        SightlineError: a store cannot be reached; says which and what to look at.
        OSError: the data folder cannot be made.
    """
    settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        engine = database_at(settings.database_url())
        stack.callback(engine.dispose)
        yield Installation(
            settings=settings,
            engine=engine,
            jobs=Jobs(engine),
            desk=Desk(engine),
            cameras=Cameras(engine),
            files=ArtifactRecords(engine),
            artifacts=artifacts_at(settings.artifacts_url()),
            policy=policy_of(settings),
            hub=hub_at(settings.redis_url()),
        )
