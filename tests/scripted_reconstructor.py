"""A reconstructor whose answers are known, as another package would bring it: cameras in a row before a wall."""

import os
import time
from pathlib import Path

import numpy as np

from sightline.errors import EngineError, ReconstructionError
from sightline.model.lens import Lens
from sightline.model.scene import MadeBy, Maps, Scene, SparsePoints, Views

POINTS = "[sightline.reconstructor]\nscripted = scripted_reconstructor:Scripted\n"


class Scripted:
    """Camera i stands at x = i and looks along z at a wall 2 away; the left half of each picture is doubtful.

    Every call leaves a line in the file that SCRIPTED_CALLS names.
    """

    def __init__(self, *, pace_s: float = 0.0, blind: bool = False) -> None:
        self.pace_s, self.blind = pace_s, blind

    def reconstruct(self, shots, tell, stopped):
        if calls := os.environ.get("SCRIPTED_CALLS"):
            with Path(calls).open("a") as lines:
                lines.write(f"{len(shots)}\n")
        pictures = []
        for done, shot in enumerate(shots.shots):
            tell("looking", done + 1, len(shots))
            end_s = time.monotonic() + self.pace_s
            while time.monotonic() < end_s:
                if stopped():
                    raise EngineError("stopped")
                time.sleep(0.01)
            pictures.append(shot.read())
        scene = built(shots, pictures)
        if self.blind:
            raise ReconstructionError("the pictures do not overlap; take them closer together", scene)
        return scene


def built(shots, pictures):
    n = len(shots)
    lenses = tuple(Lens.pinhole(p.shape[1], p.shape[0], intrinsics(p.shape[1], p.shape[0])) for p in pictures)
    poses = np.tile(np.eye(4), (n, 1, 1))
    poses[:, 0, 3] = -np.arange(n)
    small = Lens.pinhole(16, 12, intrinsics(16, 12))
    sure = np.ones((12, 16), np.float32)
    sure[:, :8] = 0.1
    depth = np.full((12, 16), 2.0, np.float32)
    maps = tuple(Maps(small, np.ascontiguousarray(p[:12, :16]), depth, sure) for p in pictures)
    tracks = np.arange(0, 2 * 3 + 1, 2)
    sparse = SparsePoints(
        np.array([[0.0, 0.0, 2.0], [1.0, 0.0, 2.0], [0.0, 1.0, 2.0]]), np.full((3, 3), 200, np.uint8), np.full(3, 0.5),
        tracks, np.tile([0, 1], 3), np.full((6, 2), 8.0),
    )  # fmt: skip
    views = Views(tuple(shot.name for shot in shots.shots), np.arange(n), poses, np.ones(n, bool))
    return Scene(lenses, views, MadeBy("scripted", "1"), maps, sparse)


def intrinsics(width, height):
    return np.array([[float(width), 0.0, width / 2], [0.0, float(width), height / 2], [0.0, 0.0, 1.0]])


def install(folder):
    """Leaves it in the folder as pip would; the folder."""
    (folder / "scripted_reconstructor.py").write_text(Path(__file__).read_text())
    info = folder / "scripted_reconstructor-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scripted-reconstructor\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    return folder
