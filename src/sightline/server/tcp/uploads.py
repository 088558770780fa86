"""What clients send, on its way to files. Nothing is decoded here, and no name comes from outside."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp

from anyio import to_thread

from sightline.errors import FormatError
from sightline.fetching.content import HEAD, check_media
from sightline.server.tcp.wire import Wire

_KINDS = (
    (b"\xff\xd8\xff", 0, ".jpg"),
    (b"\x89PNG\r\n\x1a\n", 0, ".png"),
    (b"WEBP", 8, ".webp"),
    (b"ftyp", 4, ".heic"),
    (b"BM", 0, ".bmp"),
    (b"II*\x00", 0, ".tif"),
    (b"MM\x00*", 0, ".tif"),
)
"""How images begin: what, where, and the suffix to keep them under."""


@contextmanager
def incoming(folder: Path) -> Iterator[Path]:
    """A new folder in ``folder``, gone at the end. Those of servers that were killed are removed first.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        with _locked(folder, wait=True):  # nobody takes a folder for dead that was made a moment ago
            _sweep(folder)
            mine = Path(mkdtemp(dir=folder))
            stack.enter_context(_locked(mine, wait=True))
        stack.callback(shutil.rmtree, mine, ignore_errors=True)
        yield mine


async def images(wire: Wire, folder: Path, most: int) -> list[Path]:
    """The images of a request, as files in ``folder``: how many, then of each its length and it.

    Raises:
        FormatError: the numbers do not fit together, or something is no image.
        HungUpError: not all of it comes.
        OSError: they cannot be written.
    """
    count = await wire.number()
    if not 1 <= count <= most:
        raise FormatError(f"{count} images; send 1 to {most}")
    return [await _image(wire, folder, index) for index in range(count)]


async def video(wire: Wire, folder: Path) -> Path:
    """The video of a request, as a file in ``folder``.

    Raises:
        FormatError: it is empty, a playlist or text.
        HungUpError: not all of it comes.
        OSError: it cannot be written.
    """
    path = folder / "video"
    head = await _receive(wire, wire.left, path)
    check_media(head, "the video")
    return path


async def _image(wire: Wire, folder: Path, index: int) -> Path:
    path = folder / f"img_{index:03d}"
    head = await _receive(wire, await wire.number(), path)
    for start, offset, suffix in _KINDS:
        if head[offset:].startswith(start):
            return path.rename(path.with_suffix(suffix))
    raise FormatError(f"image {index}: neither JPEG, PNG, WebP, HEIC, TIFF nor BMP")


async def _receive(wire: Wire, n_bytes: int, path: Path) -> bytes:
    """Puts so many bytes into a new file; its first ones."""
    head = b""
    with path.open("xb") as file:
        async for piece in wire.pieces(n_bytes):
            head = head or piece[:HEAD]
            await to_thread.run_sync(file.write, piece)
    return head


def _sweep(folder: Path) -> None:
    """Removes the folders that nobody holds."""
    for left in folder.iterdir():
        with _locked(left, wait=False) as is_dead:
            if is_dead:
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(folder: Path, *, wait: bool) -> Iterator[bool]:
    """Whether the folder is locked by us for a while; the system unlocks it however a process ends."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)
