"""Small made-up tracks."""

import numpy as np
import pytest

from sightline.model.tracks import Tracks


def made(rows):
    """Tracks from rows of (frame, number, left, top, width, height)."""
    table = np.array(rows, float).reshape(-1, 6)
    n = len(table)
    return Tracks(
        camera="door",
        frame_index=table[:, 0].astype(np.int64),
        t_s=np.full(n, np.nan),
        number=table[:, 1].astype(np.int64),
        xyxy_px=np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6]], axis=1),
        score=np.ones(n),
        label=np.zeros(n, np.int64),
        detection=np.full(n, -1),
    )


def walk(number, frames, x=0.0, step=3.0):
    """One walker of 20 by 40 pixels, moving right."""
    return [(frame, number, x + step * frame, 0, 20, 40) for frame in frames]


@pytest.fixture(scope="session")
def tracks():
    return made


@pytest.fixture(scope="session")
def walker():
    return walk
