"""Where everyone was in every picture: the truth from which all else is rendered."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.model.arrays import readonly

CLASSES = ("person", "cyclist", "car", "van")
"""What movers are, in the order of their labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Trajectories:
    """Movers over time: ``t`` pictures, ``n`` movers, people first. Identity ``i`` is column ``i - 1``."""

    t_s: Float[np.ndarray, " t"]
    """When each picture is taken."""
    label: Int[np.ndarray, " n"]
    """What each mover is: index into ``CLASSES``."""
    xy_enu_m: Float[np.ndarray, "t n 2"]
    """Where its middle stands on the ground, metres east and north."""
    heading_rad: Float[np.ndarray, "t n"]
    """Where it faces, anticlockwise from east; goes on beyond a full turn."""
    speed_mps: Float[np.ndarray, "t n"]
    """How fast it moves."""
    phase_rad: Float[np.ndarray, "t n"]
    """How far its gait, or its wheels, have turned."""
    present: Bool[np.ndarray, "t n"]
    """Whether it is on the site at all."""

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, readonly(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.t_s)

    @property
    def n_movers(self) -> int:
        """People and vehicles, present or not."""
        return len(self.label)
