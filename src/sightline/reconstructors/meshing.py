"""A surface through a scene's points.

Source: Kazhdan and Hoppe, "Screened Poisson surface reconstruction" (2013), as pycolmap has it built in (MIT).
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32

from sightline.errors import EngineError, OptionError
from sightline.formats.scenes import ply
from sightline.model.scene import DensePoints, Mesh, Scene
from sightline.reconstructors.colmap import pycolmap
from sightline.reconstructors.structure.quiet import quiet

_LEAST: Final = 1000
"""Fewer points are no surface."""
_DEPTHS: Final = (6, 10)
"""How often space may be halved; more would take gigabytes."""
_COARSER: Final = 2.5
"""Halvings, less than the finest, at which there must be points; what surface is made up where there are none goes."""
_WITHIN: Final = (0.02, 0.98)
"""Shares of the points between which, along each axis, the scene is; those far outside do not count."""
_CORNER: Final = np.dtype([("xyz", "<f4", 3), ("value", "<f4"), ("rgb", "u1", 3)])
_FACE: Final = np.dtype([("n", "<i4"), ("corners", "<i4", 3)])


def meshed(scene: Scene) -> Scene:
    """The scene with a coloured surface of triangles, open where there are no points.

    Raises:
        OptionError: there are too few points with normals.
        EngineError: the library gave up.
    """
    normals = scene.dense.normal_scene
    if normals is None or len(scene.dense) < _LEAST:
        raise OptionError(f"mesh: {len(scene.dense)} points with normals, it takes {_LEAST}; sfm makes them with depth")
    kept = np.isfinite(normals).all(axis=1) & _near(scene.dense.xyz_scene)
    points = DensePoints(scene.dense.xyz_scene[kept], scene.dense.rgb[kept], normals[kept])
    if len(points) < _LEAST:
        raise OptionError(f"mesh: {len(points)} points with normals, it takes {_LEAST}")
    halvings = int(np.clip(np.log2(len(points)) / 2, *_DEPTHS))
    options = pycolmap.PoissonMeshingOptions(depth=halvings, trim=halvings - _COARSER, num_threads=1)
    with quiet(" on the surface"), tempfile.TemporaryDirectory(prefix="sightline-mesh-") as folder:
        cloud, surface = Path(folder, "points.ply"), Path(folder, "surface.ply")
        ply.write(scene, points, cloud)
        pycolmap.poisson_meshing(cloud, surface, options)
        return replace(scene, mesh=_read(surface))


def _near(xyz: Float32[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    """Which points are not far away from nearly all others: those would make everything else coarse."""
    low, high = np.quantile(xyz, _WITHIN, axis=0)
    reach = 0.75 * (high - low)
    return (np.abs(xyz - (low + high) / 2) <= reach).all(axis=1)


def _read(path: Path) -> Mesh:
    """The surface that the library wrote.

    Raises:
        EngineError: there is none.
    """
    content = path.read_bytes() if path.is_file() else b""
    head, _, body = content.partition(b"end_header\n")
    words = head.decode("ascii", "replace").split()
    counts = [int(words[words.index(name) + 1]) if name in words else 0 for name in ("vertex", "face")]
    if not all(counts) or len(body) != counts[0] * _CORNER.itemsize + counts[1] * _FACE.itemsize:
        raise EngineError("the surface came out empty, or in a form that is not known")
    corners = np.frombuffer(body, _CORNER, counts[0])
    faces = np.frombuffer(body, _FACE, counts[1], counts[0] * _CORNER.itemsize)
    return Mesh(corners["xyz"].copy(), faces["corners"].astype(np.int64), corners["rgb"].copy())
