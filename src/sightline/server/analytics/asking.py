"""Which part of the history a client asks about, and the answer's envelope."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field

from sightline.jobs.history.answers import Answers
from sightline.jobs.history.reading import answers_about
from sightline.jobs.history.story import Chronicle, Span
from sightline.jobs.sites.shelf import Sites
from sightline.server.installation import Installation

Ask = Callable[..., Answers]


class Envelope(BaseModel):
    """An answer, as clients of the multi-camera service know it."""

    status: str = Field("success", description="Always `success`; what goes wrong has a status of HTTP.")
    data: Any = Field(description="The answer.")
    timestamp: str = Field(description="When it was given, ISO 8601 in UTC.")


def answered(data: Any) -> Envelope:
    """An answer in its envelope."""
    return Envelope(status="success", data=data, timestamp=datetime.now(UTC).isoformat(timespec="milliseconds"))


def asking(services: Installation) -> Ask:
    """What takes the part of the history that a request is about, as parameters, and gives its answers."""
    chronicle, sites = Chronicle(services.engine), Sites(services.settings.sites())

    def ask(
        task_id: Annotated[UUID | None, Query(description="One task.")] = None,
        environment_id: Annotated[
            str | None, Query(max_length=64, description="A site: the newest task of each of its recordings.")
        ] = None,
        start: Annotated[
            AwareDatetime | None,
            Query(description="Since when. Of recordings whose beginning is not known: since when they were watched."),
        ] = None,
        end: Annotated[AwareDatetime | None, Query(description="Until when.")] = None,
        from_s: Annotated[
            float | None, Query(allow_inf_nan=False, description="Since when, in seconds on the site's clock.")
        ] = None,
        to_s: Annotated[float | None, Query(allow_inf_nan=False, description="Until when, likewise.")] = None,
    ) -> Answers:
        span = Span(
            site=environment_id,
            task_id=None if task_id is None else task_id.hex,
            from_utc_s=None if start is None else start.timestamp(),
            to_utc_s=None if end is None else end.timestamp(),
            from_s=from_s,
            to_s=to_s,
        )
        return answers_about(chronicle, sites, span)

    return ask
