"""Pictures to a scene by one of the networks: weights found, memory planned, looks taken, and all laid together."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from sightline import __version__
from sightline.errors import EngineError, ReconstructionError
from sightline.executors.local import Stopped, Tell
from sightline.model.arrays import Image
from sightline.model.scene import MadeBy, Scene
from sightline.model.shots import Shots
from sightline.reconstructors.looks.aligning import Joint
from sightline.reconstructors.looks.assembled import Look, assembled
from sightline.reconstructors.looks.chunks import MOST, Chunk, joined, loop, planned
from sightline.reconstructors.looks.found import Found, found
from sightline.reconstructors.looks.framing import Framing
from sightline.reconstructors.looks.loading import Ready, ready
from sightline.reconstructors.looks.loops import glances, returns
from sightline.reconstructors.looks.memory import at_once, free_bytes, together
from sightline.reconstructors.looks.pictures import Pictures, check
from sightline.reconstructors.looks.wishes import Wishes
from sightline.reconstructors.networks.answer import Answer
from sightline.reconstructors.networks.camera import intrinsics, poses


def rebuilt(shots: Shots, wishes: Wishes, tell: Tell, stopped: Stopped) -> Scene:
    """The scene.

    Raises:
        ReconstructionError: the pictures do not make one.
        WeightsError: the weights are not here, or are not what they should be.
        OptionError: an option does not do.
        EngineError: it was stopped, or there is not enough memory.
    """
    if not len(shots):
        raise ReconstructionError("no pictures")
    check(wishes)
    tell("loading weights", 0, None)
    there = found(wishes.weights)
    net = ready(there, wishes.kind, wishes.precision, wishes.device, points=wishes.points)
    pictures = Pictures.read(shots, wishes, net, tell, stopped)
    run = _Run(net, pictures, tell, stopped)
    free = free_bytes(net.device) - net.mapped_bytes
    most = together(net, pictures.size, min(len(shots), wishes.chunk or MOST), free, points=wishes.points)
    chunks = planned(len(shots), most)
    looks = run.all(chunks)
    more = run.loops(chunks, looks) if shots.is_sequence else []
    whole = joined(chunks, looks, more)
    said: dict[str, Any] = {"looks": len(chunks), "loops": [[joint.first, joint.second] for joint in more]}
    if wishes.refine and len(whole) > 1:
        from sightline.reconstructors.looks.refining import adjusted  # noqa: PLC0415  (COLMAP is large)

        whole, said["refined"] = adjusted(shots, whole, tell, stopped)
    return assembled(shots, whole, _made_by(wishes, there, net, said))


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A network at work."""

    net: Ready
    pictures: Pictures
    tell: Tell
    stopped: Stopped

    def all(self, chunks: Sequence[Chunk]) -> list[list[Look]]:
        """Looks at the pictures of every chunk."""
        return [self.look(list(chunk.numbers), (at, len(chunks))) for at, chunk in enumerate(chunks)]

    def look(self, numbers: Sequence[int], part: tuple[int, int]) -> list[Look]:
        """One look at pictures together; ``part`` is which of how many it is, to tell.

        Raises:
            EngineError: stopped, or memory ran out all the same.
        """
        done, in_all = part

        def glance() -> None:
            if self.stopped():
                raise EngineError("stopped before there was a scene")
            self.tell("looking", done, in_all)

        pictures = self.pictures.tensor(numbers)
        try:
            answer = self.net.net(pictures, at_once(self.pictures.size, self.net.device), glance)
        except (torch.OutOfMemoryError, MemoryError):
            raise EngineError(
                f"memory ran out with {len(numbers)} pictures at once; set chunk = {max(len(numbers) // 2, 2)}"
            ) from None
        self.tell("looking", done + 1, in_all)
        return looks(answer, self.pictures.shown, self.pictures.framings, numbers)

    def loops(self, chunks: Sequence[Chunk], seen: Sequence[Sequence[Look]]) -> list[Joint]:
        """Joints of chunks, far from each other in time, that show one place."""
        closing = returns(glances(self.pictures.shown), chunks, max(len(chunk) for chunk in chunks))
        joints = []
        for at, (first, second, some, others) in enumerate(closing):
            third = self.look([*some, *others], (at, len(closing)))
            of_first = [(seen[first][n - chunks[first].first], third[k]) for k, n in enumerate(some)]
            of_second = [(seen[second][n - chunks[second].first], third[len(some) + k]) for k, n in enumerate(others)]
            joints.append(loop(first, second, of_first, of_second))
        return [joint for joint in joints if joint is not None]


def looks(answer: Answer, shown: Sequence[Image], framed: Sequence[Framing], numbers: Sequence[int]) -> list[Look]:
    """What was said of the pictures of these numbers, one by one."""
    cameras = answer.cameras.double()
    matrices = intrinsics(cameras, framed[numbers[0]].outer).numpy()
    cam_from_scene = np.tile(np.eye(4), (len(numbers), 1, 1))
    cam_from_scene[:, :3] = poses(cameras).numpy()
    depth, confidence = answer.depth.numpy(), answer.depth_confidence.numpy()
    own = {"xyz_scene": answer.points, "xyz_confidence": answer.points_confidence}
    points = {name: tensor.numpy() for name, tensor in own.items() if tensor is not None}
    return [
        Look(
            framed[n], shown[n], matrices[row], cam_from_scene[row], depth[row], confidence[row],
            **{name: array[row] for name, array in points.items()},
        )
        for row, n in enumerate(numbers)
    ]  # fmt: skip


def _made_by(wishes: Wishes, there: Found, net: Ready, said: Mapping[str, Any]) -> MadeBy:
    """What ran and how."""
    settings = {
        **asdict(wishes),
        "kind": net.kind,
        "weights": there.name,
        "sha256": there.sha256,
        "device": str(net.device),
        "precision": net.precision,
        "torch": str(torch.__version__),
        **said,
    }
    return MadeBy(net.kind, __version__, f"{there.name}, sha256 {there.sha256}", there.licence, settings)
