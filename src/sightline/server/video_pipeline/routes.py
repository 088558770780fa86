"""The paths of the video pipeline. Each is also understood without its last slash."""

import platform
import socket
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, HTTPException, Query, Request, Response, UploadFile
from fastapi.routing import APIRoute

from sightline.model.user import Role
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import Fault, answers
from sightline.server.installation import Installation
from sightline.server.looks import Looks
from sightline.server.video_pipeline import shapes
from sightline.server.video_pipeline.desk import CameraDesk
from sightline.server.video_pipeline.shapes import CameraInForm, CameraInQuery, Format, OptionalCameraInForm
from sightline.server.video_pipeline.videos import Acceleration, VideoDesk

_PREFIX = "/api/v1/video-pipeline"
_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}}, "description": "The picture"},
    304: {"description": "It is the one that the client has"},
    404: {"model": Fault, "description": "There is none; `detail` says why"},
}


def router(services: Installation, guard: Guard) -> APIRouter:
    """All of them."""
    routes = APIRouter(prefix=_PREFIX, tags=["video pipeline"])
    looks = Looks()
    _cameras(routes, services, guard, looks)
    _videos(routes, services, guard, looks)
    _about(routes, services, guard)
    both = APIRouter(lifespan=looks.until_end())
    both.include_router(routes)
    for route in routes.routes:  # without the last slash, clients would have to follow a redirect
        if isinstance(route, APIRoute) and route.path.endswith("/"):
            short, methods = route.path.rstrip("/"), list(route.methods or ())
            both.add_api_route(short, route.endpoint, methods=methods, include_in_schema=False)
    return both


def _cameras(routes: APIRouter, services: Installation, guard: Guard, looks: Looks) -> None:
    desk = CameraDesk(services, looks)
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]

    @routes.post("/decode/", summary="Start decoding a file or a stream", responses=answers(404, 409))
    def decode(
        who: operator,
        camera_id: CameraInForm,
        file: Annotated[UploadFile | None, File(description="A video file; wins over `url`.")] = None,
        url: Annotated[str | None, Form(max_length=4096, description="A file's or a stream's address.")] = None,
        fps: Annotated[float, Form(gt=0, le=240, description="Pictures per second of video.")] = 1,
        force_format: Annotated[Format | None, Form(description="What is to decode.")] = None,
    ) -> shapes.Started:
        if file is not None and file.filename:
            return desk.start_upload(camera_id, file, fps, force_format, who.name)
        if url and url.strip():
            return desk.start_url(camera_id, url.strip(), fps, force_format)
        raise HTTPException(400, "Either a file or a URL must be provided.")

    @routes.get("/decode/status/", summary="How far a camera is")
    def status(_who: viewer, camera_id: CameraInQuery) -> shapes.Status:
        return desk.status(camera_id)

    @routes.get("/cameras/", summary="How far every camera is")
    def statuses(_who: viewer) -> list[shapes.Status]:
        return desk.statuses()

    @routes.post("/decode/stop/", summary="Stop decoding", responses=answers(404))
    @routes.post("/stop-decode/", include_in_schema=False)
    def stop(_who: operator, camera_id: CameraInForm) -> shapes.CameraMessage:
        return desk.stop(camera_id)

    @routes.get("/latest-frame/", summary="The newest picture", response_class=Response, responses=_JPEG)
    def latest_frame(
        _who: viewer,
        request: Request,
        camera_id: CameraInQuery,
        privacy: Annotated[shapes.Privacy, Query(description="What is covered of everybody.")] = "none",
    ) -> Response:
        return desk.latest(camera_id, request.headers.get("if-none-match"), privacy)

    @routes.post("/cleanup/", summary="Remove pictures")
    def cleanup(_who: operator, camera_id: OptionalCameraInForm = None) -> shapes.Message:
        return desk.clean_up(camera_id)


def _videos(routes: APIRouter, services: Installation, guard: Guard, looks: Looks) -> None:
    desk = VideoDesk(services, looks)
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]

    @routes.post("/video-info/", summary="What a video file is")
    def info(_who: viewer, video: Annotated[UploadFile, File(description="A video file.")]) -> shapes.Info:
        return desk.info(video)

    @routes.post("/video-info-url/", summary="What a file or a stream is", responses=answers(404, 504))
    async def info_url(_who: operator, url: Annotated[str, Form(max_length=4096, min_length=1)]) -> shapes.Info:
        return await desk.info_url(url)

    @routes.post("/snapshot/", summary="Take one picture", responses=answers(404, 504))
    async def snapshot(who: operator, asked: shapes.SnapshotAsked) -> shapes.Output:
        return await desk.snapshot(asked, who.name)

    @routes.post("/record/", summary="Record a part", responses=answers(404, 504))
    async def record(who: operator, asked: shapes.RecordingAsked) -> shapes.Output:
        return await desk.record(asked, who.name)


def _about(routes: APIRouter, services: Installation, guard: Guard) -> None:
    acceleration = Acceleration()
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]

    @routes.get("/hw-accel-cap/", summary="What decodes in hardware here, each proved by decoding a picture")
    def capabilities(_who: viewer) -> shapes.Capabilities:
        return shapes.Capabilities(message=shapes.Accelerations(available_hw_accelerations=acceleration.names()))

    @routes.get("/health/", summary="Whether the surface works")
    async def health() -> shapes.Health:
        return shapes.Health(status="healthy", service="video-pipeline")

    @routes.get("/debug/", summary="What runs here, for who looks for a fault")
    def debug(_who: operator) -> shapes.Debug:
        return shapes.Debug(
            status="running",
            service="video-pipeline",
            hostname=socket.gethostname(),
            port=services.settings.port,
            environment={"python": platform.python_version(), **services.settings.summary()["video_pipeline"]},
        )
