"""Sending what came of a run, or a part of it."""

from collections.abc import Iterator

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from sightline.model.artifact import Artifact
from sightline.server.artifacts import span
from sightline.server.installation import Installation
from sightline.server.runs.errors import RefusalError

_SHOWN = {".glb": "model/gltf-binary", ".json": "application/json", ".zip": "application/zip"}


def sent(services: Installation, artifact: Artifact, request: Request) -> Response:
    """The file, or the part of it that the request asks for.

    Raises:
        RefusalError: there is no such part.
    """
    tag = f'"{artifact.key}"'
    headers = {
        "accept-ranges": "bytes",
        "etag": tag,
        "content-type": _SHOWN.get(artifact.name[artifact.name.rfind(".") :], "application/octet-stream"),
        "content-disposition": f'attachment; filename="{artifact.name}"',
        "x-content-type-options": "nosniff",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    start, end, status = 0, artifact.n_bytes, 200
    part = request.headers.get("range")
    if part is not None and request.headers.get("if-range", tag) == tag:
        wanted = span(part, artifact.n_bytes)
        if wanted is not None:
            (start, end), status = wanted, 206
            if start >= end:
                raise RefusalError(416, "Invalid range", f"the file has {artifact.n_bytes} bytes")
            headers["content-range"] = f"bytes {start}-{end - 1}/{artifact.n_bytes}"
    headers["content-length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    body: Iterator[bytes] = services.artifacts.open(artifact.key, start, end)
    return StreamingResponse(body, status, headers)
