"""Bodies put together from rounded parts: limbs, rings and balls, each the hull of two ellipses in space."""

from dataclasses import dataclass, field
from math import hypot

import numpy as np
from jaxtyping import Float, Int

from sightline.simulation.rendering.looks import Rgb

Vector = Float[np.ndarray, " 3"]
Real = float | int
Triple = tuple[Real, Real, Real] | Float[np.ndarray, " 3"]
Pair = tuple[Real, Real]
_TURN = np.linspace(0, 2 * np.pi, 12, endpoint=False)
RING = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)
"""Where the points of an ellipse lie along its two axes."""


@dataclass(slots=True, eq=False)
class Body:
    """Parts in a body's own frame: x ahead, y to its left, z up.

    Parts are added in groups that move and are shaded as one: an arm, a leg, the trunk.
    """

    right: Vector
    """Direction to the right of whoever looks, in the body's frame."""
    over: Vector
    """Direction upwards in the eyes of whoever looks."""
    sight: Vector
    """Direction in which they look."""
    unit_m: float = 1.0
    """What all lengths given are measured in."""
    ends: list[tuple[Triple, Triple, Triple, Triple, Triple, Triple]] = field(default_factory=list)
    """Of each part: centre of one ellipse, its two axes, centre of the other, its two axes."""
    rgb: list[Rgb] = field(default_factory=list)
    """Their colours."""
    _right: list[float] = field(init=False)
    _over: list[float] = field(init=False)
    groups: list[tuple[int, float]] = field(default_factory=list)
    """Where each group starts, and how much nearer it counts when it is decided what hides what."""

    def __post_init__(self) -> None:
        self._right, self._over = self.right.tolist(), self.over.tolist()

    def group(self, nearer: float = 0.0) -> None:
        """What is added from now on belongs together."""
        self.groups.append((len(self.ends), nearer))

    def limb(self, a: Triple, b: Triple, radii: Pair, rgb: Rgb) -> None:
        """A round limb from ``a`` to ``b``."""
        ra, rb = radii
        self._add((a, ra * self.right, ra * self.over, b, rb * self.right, rb * self.over), rgb)

    def ring(self, a: Triple, a_radii: Pair, b: Triple, b_radii: Pair, rgb: Rgb) -> None:
        """A trunk between two level ellipses; radii are ahead and sideways."""
        af, al, bf, bl = *a_radii, *b_radii
        self._add((a, (af, 0, 0), (0, al, 0), b, (bf, 0, 0), (0, bl, 0)), rgb)

    def ball(self, a: Triple, radii: Triple, rgb: Rgb) -> None:
        """An ellipsoid; radii are ahead, sideways and up."""
        across = hypot(*(r * c for r, c in zip(radii, self._right, strict=True))) * self.right
        upright = hypot(*(r * c for r, c in zip(radii, self._over, strict=True))) * self.over
        self._add((a, across, upright, a, across, upright), rgb)

    def _add(self, ends: tuple[Triple, Triple, Triple, Triple, Triple, Triple], rgb: Rgb) -> None:
        self.ends.append(ends)
        self.rgb.append(rgb)

    def drawn(self) -> tuple[Float[np.ndarray, "p 2 3 3"], Float[np.ndarray, "p 3"], Int[np.ndarray, " p"]]:
        """Centre and axes in metres of all parts' ellipses, their colours, and their groups, 0 the farthest."""
        flat = [x for part in self.ends for triple in part for x in triple]
        ends = np.array(flat).reshape(-1, 2, 3, 3) * self.unit_m
        starts, nearer = np.array(self.groups).T
        group = np.searchsorted(starts, np.arange(len(ends)), side="right") - 1
        depth = np.bincount(group, ends[:, :, 0].mean(axis=1) @ self.sight) / np.bincount(group) - nearer * self.unit_m
        rank = np.argsort(np.argsort(depth)[::-1])
        return ends, np.array(self.rgb), rank[group]


def layers(
    ends: Float[np.ndarray, "p 2 3 3"], sizes: Float[np.ndarray, " k"], light: Vector
) -> Float[np.ndarray, "k p 24 3"]:
    """Points whose hulls are the parts, at several sizes, the smaller ones shifted towards the light."""
    centre, axes = ends[:, :, 0], ends[:, :, 1:]
    ring = np.einsum("ra,peax->perx", RING, axes)
    radius = np.linalg.norm(axes, axis=-1).mean(axis=-1)
    shift = (1 - sizes)[:, None, None, None] * 0.55 * radius[None, :, :, None] * light
    points = (centre + shift)[:, :, :, None] + sizes[:, None, None, None, None] * ring
    return points.reshape(len(sizes), len(ends), 24, 3)
