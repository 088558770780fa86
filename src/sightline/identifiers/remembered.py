"""What an engine remembers, as named arrays that can be kept, and a check of those that come back."""

from collections.abc import Mapping
from typing import Final

import numpy as np

State = dict[str, np.ndarray]
"""What is remembered, by name: numbers and texts only, so that no file of it can hold code."""
_KINDS: Final = {"i": "whole numbers", "f": "numbers", "U": "texts"}


def checked(state: Mapping[str, np.ndarray], layout: Mapping[str, str]) -> State:
    """The arrays that ``layout`` names, which are all that it says.

    It says of each a kind (``i``, ``f`` or ``U``) and its axes: ``"f g 2"`` is G rows of two numbers. Axes with one
    letter are as long as each other wherever they stand.

    Raises:
        ValueError: one is missing, or is not so; names it.
    """
    lengths: dict[str, int] = {}
    found: State = {}
    for name, said in layout.items():
        kind, *axes = said.split()
        if name not in state:
            raise ValueError(f"{name} is missing")
        array = np.asarray(state[name])
        if array.dtype.kind != kind or array.ndim != len(axes):
            raise ValueError(f"{name} is not {_KINDS[kind]} in {len(axes)} dimensions")
        for axis, n in zip(axes, array.shape, strict=True):
            if n != (int(axis) if axis.isdigit() else lengths.setdefault(axis, n)):
                raise ValueError(f"{name} has {n} where it should have {lengths.get(axis, axis)}")
        found[name] = array
    return found
