"""Log lines: one event a line, to standard error, each with the request that it belongs to."""

import logging
import sys
from typing import Any

import structlog

from sightline.settings import Settings

_QUIET = ("alembic", "dbos", "httpx", "httpcore", "sqlalchemy.engine", "uvicorn.access", "multipart")
"""Whose lines are of no use unless something is wrong."""


def set_up(settings: Settings) -> None:
    """Has everything that is logged in this process look alike."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: Any = structlog.processors.JSONRenderer()
    if settings.log_format == "text":
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
