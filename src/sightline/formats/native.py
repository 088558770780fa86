"""Files opened for readers of Arrow."""

from pathlib import Path

import pyarrow as pa


def opened(path: Path) -> pa.OSFile:
    """The file, read without Python's help: Arrow reads ahead, and a process that ends meanwhile would be aborted.

    Raises:
        OSError: it cannot be read, in the words that files have everywhere.
    """
    with path.open("rb"):
        return pa.OSFile(str(path), "rb")
