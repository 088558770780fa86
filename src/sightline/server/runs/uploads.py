"""What clients upload to a run: pictures and videos, known to be such, under names that do no harm."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from uuid import uuid4

from fastapi import Request, UploadFile
from starlette.datastructures import UploadFile as AnyUpload

from sightline.formats.picture import Picture, look
from sightline.jobs import looking
from sightline.model.artifact import Artifact
from sightline.server.artifacts import spooled
from sightline.server.deadlines import within
from sightline.server.installation import Installation
from sightline.server.runs.errors import RefusalError

MOST_FILES = 2000
_LOOK_S = 30.0
_LONGEST_NAME = 120
_ODD = frozenset('\\/:*?"<>|')
_SUFFIXES = {"jpeg": (".jpg", ".jpeg"), "tiff": (".tif", ".tiff")}
"""How names of such pictures may end; others end like their kind."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that came in, on its way to being kept."""

    name: str
    """What it is to be called."""
    path: Path
    """Where it lies."""
    media_type: str
    """What it is."""


async def file_parts(request: Request) -> AsyncIterator[Sequence[UploadFile]]:
    """All files of a form, whatever its fields are called, as long as the request lasts."""
    async with request.form(max_files=MOST_FILES) as form:
        yield [
            UploadFile(part.file, size=part.size, filename=part.filename, headers=part.headers)
            for _, part in form.multi_items()
            if isinstance(part, AnyUpload)
        ]


@contextmanager
def pictures(services: Installation, parts: Sequence[UploadFile]) -> Iterator[list[Arrival]]:
    """The parts as files, for a while, each known to be a picture and no name there twice.

    Raises:
        RefusalError: there are none.
        FormatError: one of them is no picture; says which.
    """
    if not parts:
        raise RefusalError(400, "Failed to upload images", "the form has no files; send each picture as a file part")
    with ExitStack() as stack:
        found: dict[str, Arrival] = {}
        for part in parts:
            path = stack.enter_context(spooled(services, part))
            picture = look(path, shown(part.filename))
            name = _unlike(_fitting(shown(part.filename), picture), found)
            found[name] = Arrival(name, path, f"image/{picture.kind}")
        yield list(found.values())


@contextmanager
def video(services: Installation, parts: Sequence[UploadFile]) -> Iterator[Arrival]:
    """The one part as a file, for a while, known to be a video.

    Raises:
        RefusalError: there is none, or more than one.
        SightlineError: it is no video.
    """
    if len(parts) != 1:
        raise RefusalError(400, "Failed to upload video", f"{len(parts)} files in the form; send one video")
    name = shown(parts[0].filename)
    with spooled(services, parts[0]) as path:
        looking.look(path, name, stopped=within(_LOOK_S))
        yield Arrival(name, path, "video/mp4")


def kept(services: Installation, name: str, key: str, n_bytes: int, media_type: str, owner: str) -> Artifact:
    """Notes a kept file."""
    return services.files.add(
        Artifact(id=uuid4().hex, key=key, name=name, media_type=media_type, n_bytes=n_bytes, owner=owner)
    )


def shown(name: str | None) -> str:
    """The last part of a name, without anything that means something to a file system."""
    last = PurePosixPath((name or "").replace("\\", "/")).name
    safe = "".join("_" if c in _ODD or not c.isprintable() else c for c in last).strip().lstrip(".")
    path = PurePosixPath(safe or "file")
    return f"{path.stem[: _LONGEST_NAME - len(path.suffix[:12])]}{path.suffix[:12]}"


def _fitting(name: str, picture: Picture) -> str:
    """The name with an end that says what the file is."""
    if name.lower().endswith(_SUFFIXES.get(picture.kind, (picture.suffix,))):
        return name
    return f"{PurePosixPath(name).stem}{picture.suffix}"


def _unlike(name: str, others: Mapping[str, object]) -> str:
    """The name, with a number where another file has it."""
    path, number, unlike = PurePosixPath(name), 1, name
    while unlike in others:
        number += 1
        unlike = f"{path.stem}-{number}{path.suffix}"
    return unlike
