"""GLB: points, cameras and surface in one file for viewers, as the demonstrations of VGGT hand out.

The first camera's frame, turned upright, is the file's own: x left, y up, z away from that camera.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from sightline import __version__
from sightline.formats.scenes import frustum, gltf
from sightline.formats.scenes.about import about
from sightline.formats.scenes.filters import Shown
from sightline.geometry.rigid import inverse
from sightline.model.lens import Lens
from sightline.model.scene import DensePoints, Mesh, Scene

UPRIGHT = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From a camera's frame to the file's: y down becomes y up, then half a turn about y."""
_LOOKING = np.diag([1.0, -1.0, -1.0, 1.0])
"""From the frame of glTF's cameras, which look along -z, to ours."""
_UNLIT = "KHR_materials_unlit"


def write(scene: Scene, shown: Shown, path: Path, *, surface: Mesh | None = None, linear: bool = False) -> None:
    """Puts what is ``shown`` of ``scene`` into the file, and a ``surface`` if given.

    Points that are not finite are left out; where there are none, one white point stands at (1, 0, 0).
    Colours are the pictures' own bytes (sRGB), as the demonstrations write them; viewers that keep to the format's
    letter show them too pale. With ``linear`` they are 16-bit amounts of light, which is that letter.
    Every camera is a node with the picture's name and a wire pyramid; below it, a glTF camera to look through.
    What made the scene, with which weights, settings, scale and filters, is in ``asset.extras`` and in the
    scene's ``extras``.

    Raises:
        FormatError: more than 4 GiB, or settings that JSON cannot say.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    binary = gltf.Binary()
    draft = _Draft(binary, "<u2" if linear else "u1")
    children = [draft.points(shown.points)]
    if surface is not None and len(surface.triangles):
        children.append(draft.surface(surface))
    if len(shown.views):
        children.append(draft.cameras(scene, shown))
    root = {"name": "scene", "matrix": _columns(_file_from_scene(scene)), "children": children}
    draft.nodes.append(root)
    extras = {**about(scene), "filters": _filters(scene, shown), "colours": "linear" if linear else "sRGB"}
    document = {
        "asset": {"version": "2.0", "generator": f"sightline {__version__}", "extras": extras},
        "extensionsUsed": [_UNLIT],
        "scene": 0,
        "scenes": [{"name": "scene", "nodes": [len(draft.nodes) - 1], "extras": extras}],
        "nodes": draft.nodes,
        "meshes": draft.meshes,
        "materials": draft.materials,
    }
    if draft.lenses:
        document["cameras"] = draft.lenses
    gltf.write(path, document, binary)


class _Draft:
    """The lists of a document while they grow."""

    def __init__(self, binary: gltf.Binary, colours: str) -> None:
        self.binary = binary
        self.colours = colours
        self.nodes: list[dict[str, Any]] = []
        self.meshes: list[dict[str, Any]] = []
        self.materials: list[dict[str, Any]] = []
        self.lenses: list[dict[str, Any]] = []
        self.wires: int | None = None

    def _add(self, name: str, primitive: dict[str, Any], **more: Any) -> int:
        """The number of a new node with a mesh of its own."""
        self.meshes.append({"name": name, "primitives": [primitive]})
        self.nodes.append({"name": name, "mesh": len(self.meshes) - 1, **more})
        return len(self.nodes) - 1

    def _material(self, name: str, colour: tuple[float, float, float] = (1.0, 1.0, 1.0), **more: Any) -> int:
        """The number of a new material that needs no light."""
        base = [*map(_short, map(gltf.linear, colour)), 1.0]
        metal = {"baseColorFactor": base, "metallicFactor": 0.0, "roughnessFactor": 1.0}
        self.materials.append({"name": name, "pbrMetallicRoughness": metal, "extensions": {_UNLIT: {}}, **more})
        return len(self.materials) - 1

    def points(self, points: DensePoints) -> int:
        """The number of the node of the cloud."""
        xyz, rgb = _finite(points)
        attributes = {
            "POSITION": self.binary.column(xyz, "<f4", gltf.VERTICES, bounded=True),
            "COLOR_0": self.binary.column(rgb, self.colours, gltf.VERTICES),
        }
        return self._add("points", {"attributes": attributes, "mode": 0, "material": self._material("points")})

    def surface(self, mesh: Mesh) -> int:
        """The number of the node of the surface."""
        attributes = {"POSITION": self.binary.column(mesh.xyz_scene, "<f4", gltf.VERTICES, bounded=True)}
        if mesh.normal_scene is not None:
            attributes["NORMAL"] = self.binary.column(mesh.normal_scene, "<f4", gltf.VERTICES)
        if mesh.rgb is not None:
            attributes["COLOR_0"] = self.binary.column(mesh.rgb, self.colours, gltf.VERTICES)
        indices = self.binary.column(mesh.triangles.reshape(-1), "<u4", gltf.INDICES)
        material = self._material("surface", doubleSided=True)
        return self._add("surface", {"attributes": attributes, "indices": indices, "mode": 4, "material": material})

    def cameras(self, scene: Scene, shown: Shown) -> int:
        """The number of the node above all cameras."""
        children = []
        pyramids: dict[int, dict[str, Any]] = {}
        for view in shown.views.tolist():
            lens = int(scene.views.lens[view])
            if lens not in pyramids:
                self.lenses.append(_perspective(scene.lenses[lens], shown.extent))
                pyramids[lens] = {"camera": len(self.lenses) - 1, **self._pyramid(scene.lenses[lens], shown.extent)}
            name = scene.views.names[view]
            material = self._material(name, frustum.colour(view / len(scene.views)), doubleSided=True)
            scene_from_cam = inverse(scene.views.cam_from_scene[view])
            primitive = {**pyramids[lens]["primitive"], "material": material}
            # The glTF camera has a node below: readers are known to pass over what else is in a camera's node.
            self.nodes.append({"name": f"{name} camera", "camera": pyramids[lens]["camera"]})
            below = [len(self.nodes) - 1]
            children.append(self._add(name, primitive, matrix=_columns(scene_from_cam @ _LOOKING), children=below))
        self.nodes.append({"name": "cameras", "children": children})
        return len(self.nodes) - 1

    def _pyramid(self, lens: Lens, extent: float) -> dict[str, Any]:
        """What all cameras with the same lens share."""
        corners, triangles = frustum.pyramid(lens, extent)
        position = self.binary.column(corners, "<f4", gltf.VERTICES, bounded=True)
        if self.wires is None:  # the same for every lens
            self.wires = self.binary.column(triangles.reshape(-1), "<u4", gltf.INDICES)
        return {"primitive": {"attributes": {"POSITION": position}, "indices": self.wires, "mode": 4}}


def _finite(points: DensePoints) -> tuple[Any, Any]:
    """Places and colours of the points that are somewhere; one white point where there are none."""
    xyz, rgb = points.xyz_scene, points.rgb
    if len(xyz) and not np.isfinite([xyz[:, k].min() + xyz[:, k].max() for k in range(3)]).all():
        known = np.isfinite(xyz).all(axis=1)
        xyz, rgb = xyz[known], rgb[known]
    if not len(xyz):
        return np.array([[1.0, 0.0, 0.0]], np.float32), np.full((1, 3), 255, np.uint8)
    return xyz, rgb


def _file_from_scene(scene: Scene) -> Float[np.ndarray, "4 4"]:
    """The first camera that found its place, made upright."""
    placed = np.flatnonzero(scene.views.is_registered)
    return UPRIGHT @ scene.views.cam_from_scene[placed[0]] if len(placed) else UPRIGHT


def _columns(matrix: Float[np.ndarray, "4 4"]) -> list[float]:
    """Column by column, as glTF has matrices."""
    return [_short(value) for value in matrix.T.reshape(-1)]


def _short(value: float) -> float:
    """With nine digits, which tell as much as readers keep, in half the bytes."""
    return float(f"{value:.9g}")


def _perspective(lens: Lens, extent: float) -> dict[str, Any]:
    """A lens as glTF has it: centred and without distortion."""
    fx, fy = lens.focal_px
    return {
        "type": "perspective",
        "perspective": {
            "yfov": _short(2 * np.arctan(lens.height / 2 / fy)),
            "aspectRatio": _short(lens.width * fy / (lens.height * fx)),
            "znear": extent * 1e-3,
        },
    }


def _filters(scene: Scene, shown: Shown) -> dict[str, Any]:
    """What was left out, by name."""
    filters = shown.filters
    return {
        "mode": filters.mode.value,
        "confidence_percentile": filters.confidence_percentile,
        "view": None if filters.view is None else scene.views.names[filters.view],
        "hide_black": filters.hide_black,
        "hide_white": filters.hide_white,
        "hide_sky": filters.hide_sky,
        "show_cameras": filters.show_cameras,
        "max_points": filters.max_points,
    }
