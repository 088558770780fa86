"""Division that has an answer for nothing."""

import numpy as np


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``; 0 where ``whole`` is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole != 0)
