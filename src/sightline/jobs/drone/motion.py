"""How a camera moved from picture to picture, kept in a file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sightline.files import whole
from sightline.model.frame import Moment


def write(moments: Sequence[Moment], path: Path) -> None:
    """Keeps them.

    Raises:
        OSError: the file cannot be written.
    """
    unknown = np.full((3, 3), np.nan)
    warps = [unknown if one.px_from_before is None else one.px_from_before for one in moments]
    with whole(path) as partial, partial.open("wb") as file:
        np.savez(
            file,
            index=np.array([one.index for one in moments], np.int64),
            t_s=np.array([one.t_s for one in moments], np.float64),
            px_from_before=np.array(warps, np.float64).reshape(-1, 3, 3),
        )


def read(path: Path) -> tuple[Moment, ...]:
    """The same again.

    Raises:
        OSError: the file cannot be read.
    """
    with np.load(path, allow_pickle=False) as kept:
        rows = zip(kept["index"].tolist(), kept["t_s"].tolist(), kept["px_from_before"], strict=True)
        return tuple(Moment("drone", i, t, None if np.isnan(warp).any() else warp) for i, t, warp in rows)
