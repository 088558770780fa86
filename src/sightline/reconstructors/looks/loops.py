"""Where a camera came back to: pictures far apart in time that look alike, at a glance."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float

from sightline.model.arrays import Image
from sightline.reconstructors.looks.chunks import Chunk

_SIDE: Final = 24
"""Of the small picture that is compared."""
_ALIKE: Final = 0.7
"""Correlation of small pictures that are worth a closer look: most are told apart only there."""


def glances(shown: Sequence[Image]) -> Float[np.ndarray, "n d"]:
    """Each picture small and grey, without its brightness and contrast."""
    small = np.array(
        [
            cv2.GaussianBlur(
                cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA),
                (3, 3),
                0,
            )
            for rgb in shown
        ],
        np.float64,
    ).reshape(len(shown), -1)
    small -= small.mean(axis=1, keepdims=True)
    return small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-9)


def returns(
    seen: Float[np.ndarray, "n d"], chunks: Sequence[Chunk], most: int
) -> list[tuple[int, int, list[int], list[int]]]:
    """Pairs of chunks, no neighbours, that may show one place, and the numbers of the pictures of each that do.

    The likeliest first, no more pairs than chunks; ``most`` pictures of both together.
    """
    found = []
    for first, one in enumerate(chunks):
        for second, other in enumerate(chunks[first + 2 :], first + 2):
            alike = seen[one.first : one.end] @ seen[other.first : other.end].T
            best = np.unravel_index(int(alike.argmax()), alike.shape)
            if alike[best] > _ALIKE:
                found.append(
                    (
                        float(alike[best]),
                        first,
                        second,
                        _around(one, int(best[0]), most // 2),
                        _around(other, int(best[1]), most // 2),
                    )
                )
    found.sort(key=lambda pair: -pair[0])
    return [pair[1:] for pair in found[: len(chunks)]]


def _around(chunk: Chunk, at: int, n: int) -> list[int]:
    """Numbers of n pictures of the chunk around that one of it."""
    start = min(max(at - n // 2, 0), max(len(chunk) - n, 0))
    return list(chunk.numbers)[start : start + n]
