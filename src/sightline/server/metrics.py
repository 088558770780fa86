"""Numbers for Prometheus, one set for each app."""

from collections.abc import Iterator
from typing import final

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sightline import __version__
from sightline.stores.sql.cameras import Cameras
from sightline.stores.sql.jobs import Jobs

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_KIND = "text/plain; version=0.0.4; charset=utf-8"


@final
class Metrics:
    """What was asked of the server, and what is in its stores."""

    def __init__(self, jobs: Jobs, cameras: Cameras) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Kept(jobs, cameras))
        labels = ("method", "route", "status")
        self._requests = Counter("sightline_http_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "sightline_http_request_seconds",
            "Time from request to the end of the answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def seen(self, method: str, route: str, status: int, took_s: float) -> None:
        """Counts one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(took_s)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Kept(Collector):
    """What the database says, each time it is asked."""

    def __init__(self, jobs: Jobs, cameras: Cameras) -> None:
        self._jobs = jobs
        self._cameras = cameras

    def collect(self) -> Iterator[Metric]:
        """Jobs by kind and state; cameras."""
        version = GaugeMetricFamily("sightline_info", "What is running.", labels=["version"])
        version.add_metric([__version__], 1)
        yield version
        jobs = GaugeMetricFamily("sightline_jobs", "Jobs by kind and state.", labels=["kind", "state"])
        for (kind, state), n in sorted(self._jobs.counts().items()):
            jobs.add_metric([kind, state], n)
        yield jobs
        running = GaugeMetricFamily("sightline_camera_running", "Whether a camera decodes.", labels=["camera"])
        written = GaugeMetricFamily("sightline_camera_frames", "Pictures written since the start.", labels=["camera"])
        restarts = GaugeMetricFamily("sightline_camera_restarts", "Restarts since the start.", labels=["camera"])
        age = GaugeMetricFamily(
            "sightline_camera_last_frame_timestamp_seconds", "When the newest picture was written.", labels=["camera"]
        )
        for camera in self._cameras.all():
            name = [camera.camera_id]
            running.add_metric(name, camera.is_wanted and camera.state == "running")
            written.add_metric(name, camera.n_written)
            restarts.add_metric(name, camera.restart_count)
            if camera.last_written_utc_s is not None:
                age.add_metric(name, camera.last_written_utc_s)
        yield from (running, written, restarts, age)


def router(metrics: Metrics) -> APIRouter:
    """``/metrics``."""
    routes = APIRouter(tags=["health"])

    @routes.get("/metrics", summary="Numbers for Prometheus", response_class=PlainTextResponse)
    def numbers() -> Response:
        return Response(metrics.text(), media_type=_KIND)

    return routes
