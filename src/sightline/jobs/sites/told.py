"""All that was told of a sub-video, written down as it was told, so that it can be told again."""

import struct
import zlib
from collections.abc import Iterator
from io import BufferedRandom
from pathlib import Path
from types import TracebackType
from typing import Final, final

import orjson

from sightline.jobs.sites.telling import Shown

_HEAD: Final = struct.Struct(">QI")
"""Number of the moment, and how many bytes follow."""


@final
class ToldFile:
    """Takes moments in their order. It can be read while it is written, and is there for as long as the task."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "ToldFile":
        self._file: BufferedRandom = self._path.open("w+b")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, shown: Shown) -> None:
        """Writes a moment down, without its pictures."""
        data = zlib.compress(orjson.dumps([shown.cameras, shown.numbers]), 1)
        self._file.write(_HEAD.pack(shown.index, len(data)) + data)

    def since(self, index: int) -> Iterator[Shown]:
        """Moments from ``index`` on that were added so far."""
        self._file.flush()
        return told(self._path, index)


def told(path: Path, since: int) -> Iterator[Shown]:
    """Moments from ``since`` on, oldest first; none where nothing was written down."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            index, n = _HEAD.unpack(head)
            if index < since:
                file.seek(n, 1)
                continue
            cameras, numbers = orjson.loads(zlib.decompress(file.read(n)))
            yield Shown(index, cameras, numbers)
