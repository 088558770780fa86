"""Kept files: bringing them, listing them, downloading them in parts, removing them."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Depends, File, Header, Query, Request, Response, UploadFile
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from sightline.model.artifact import Artifact
from sightline.model.user import Role
from sightline.server.auth.guard import Guard, Principal
from sightline.server.errors import Fault, answer, answers
from sightline.server.installation import Installation
from sightline.server.views import ArtifactView

Id = Annotated[str, InPath(pattern="^[0-9a-f]{32}$", description="Number of the file.")]
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)
_SAFE_TO_SHOW = re.compile(r"(image/(jpeg|png|webp)|video/mp4|model/gltf-binary|application/(json|zip)|text/csv)")
"""Kinds that a browser may be told of; what a stranger brought must not run as a page of ours."""
_BYTES = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file, as what it was brought or made as", "content": _BYTES},
    206: {"description": "The part that was asked for", "content": _BYTES},
    304: {"description": "It is the one that the client has"},
    416: {"description": "There is no such part", "model": Fault},
}


class Page(BaseModel):
    """Some kept files, newest first."""

    artifacts: list[ArtifactView] = Field(description="Newest first.")
    next: str | None = Field(description="Give this as `before` for those that follow; null at the end.")


def router(services: Installation, guard: Guard) -> APIRouter:
    """``/api/v1/artifacts``."""
    routes = APIRouter(prefix="/api/v1/artifacts", tags=["artifacts"], responses=answers(404))
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]

    @routes.get("", summary="Kept files, newest first")
    def page(
        _who: viewer,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        before: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
        job_id: Annotated[
            str | None, Query(pattern="^[0-9a-f]{32}$", description="Only what came of this job.")
        ] = None,
    ) -> Page:
        last = services.files.get(before) if before else None
        found = services.files.page(limit=limit + 1, before=last, job_id=job_id)
        more = found[limit - 1].id if len(found) > limit else None
        return Page(artifacts=[ArtifactView.of(one) for one in found[:limit]], next=more)

    @routes.post("", status_code=201, summary="Bring a file, to be used by jobs")
    def bring(who: operator, file: Annotated[UploadFile, File(description="The file.")]) -> ArtifactView:
        return ArtifactView.of(kept(services, file, who.name))

    @routes.get("/{artifact_id}", summary="What is known of a file")
    def one(_who: viewer, artifact_id: Id) -> ArtifactView:
        return ArtifactView.of(services.files.get(artifact_id))

    @routes.head("/{artifact_id}/content", response_class=StreamingResponse, include_in_schema=False)
    @routes.get(
        "/{artifact_id}/content",
        summary="Download a file, or a part of it",
        response_class=StreamingResponse,
        responses=_CONTENT,
    )
    def content(
        _who: viewer, request: Request, artifact_id: Id, part: Annotated[str | None, Header(alias="range")] = None
    ) -> Response:
        artifact = services.files.get(artifact_id)
        headers = _headers(artifact)
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        is_current = request.headers.get("if-range", headers["etag"]) == headers["etag"]
        wanted = span(part, artifact.n_bytes) if part and is_current else None
        if wanted is None:
            return _sent(services, artifact, 0, artifact.n_bytes, headers, 200, request.method)
        start, end = wanted
        if start >= end:
            limits = {"content-range": f"bytes */{artifact.n_bytes}"}
            return answer(416, f"range: the file has {artifact.n_bytes} bytes", limits)
        headers["content-range"] = f"bytes {start}-{end - 1}/{artifact.n_bytes}"
        return _sent(services, artifact, start, end, headers, 206, request.method)

    @routes.delete("/{artifact_id}", status_code=204, summary="Remove a file")
    def remove(_who: operator, artifact_id: Id) -> None:
        services.files.delete(artifact_id)

    return routes


def kept(services: Installation, upload: UploadFile, owner: str) -> Artifact:
    """An upload, kept.

    Raises:
        StoreError: it cannot be kept.
    """
    with spooled(services, upload) as path:
        stored = services.artifacts.put(path)
    return services.files.add(
        Artifact(
            id=uuid4().hex,
            key=stored.key,
            name=label(upload.filename or ""),
            media_type=(upload.content_type or "application/octet-stream")[:255],
            n_bytes=stored.n_bytes,
            owner=owner,
        )
    )


@contextmanager
def spooled(services: Installation, upload: UploadFile) -> Iterator[Path]:
    """An upload as a file, for a while. Its name is only a label: nothing on disk is ever called that."""
    with TemporaryDirectory(dir=incoming(services)) as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as file:
            shutil.copyfileobj(upload.file, file, 1 << 20)
        yield path


def label(name: str) -> str:
    """What to call a file that somebody calls ``name``: the last part of it, with nothing that cannot be shown."""
    last = Path(name.replace("\\", "/")).name[:255]
    return "".join(c for c in last if c.isprintable()) or "upload"


def incoming(services: Installation) -> Path:
    """Where uploads are until they are kept; cleared when the server starts."""
    folder = services.settings.data_folder / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def span(part: str, n_bytes: int) -> tuple[int, int] | None:
    """First byte and the one after the last of a ``Range`` header; none between them where the file has no such part.

    None of what is to be ignored: several ranges, other units, and what makes no sense (RFC 9110, 14.2).
    """
    match = _RANGE.fullmatch(part.strip())
    if match is None:
        return None
    first, last, length = match.groups()
    if length:
        return max(n_bytes - int(length), 0), n_bytes
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, n_bytes) if last else n_bytes


def _headers(artifact: Artifact) -> dict[str, str]:
    shown = artifact.media_type if _SAFE_TO_SHOW.fullmatch(artifact.media_type) else "application/octet-stream"
    return {
        "accept-ranges": "bytes",
        "etag": f'"{artifact.key}"',
        "content-type": shown,
        "content-disposition": f"attachment; filename*=UTF-8''{quote(artifact.name)}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
    }


def _sent(
    services: Installation, artifact: Artifact, start: int, end: int, headers: dict[str, str], status: int, method: str
) -> Response:
    headers = headers | {"content-length": str(end - start)}
    if method == "HEAD":
        return Response(status_code=status, headers=headers)
    body: Iterator[bytes] = services.artifacts.open(artifact.key, start, end)
    return StreamingResponse(body, status, headers)
