"""What is true of one camera's pictures: who is in them, where, and how much of each can be seen."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from sightline.formats.mot import CLASSES as MOT_CLASSES
from sightline.geometry.boxes import clipped
from sightline.model.camera import Camera
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.simulation.motion.trajectories import CLASSES, Trajectories
from sightline.simulation.rendering.view import Shot

GLIMPSE = 0.05
"""From this share of its outline on, a mover counts as seen."""
MEMORY_S = 4.0
"""A mover that nobody has seen for so long has left; when it comes back it gets a new number."""
SMALLEST_PX = 6.0
"""Movers whose box in the picture is lower than this, or half as narrow, are left out."""
CLEAR = 0.25
"""The share from which on one may ask of a tracker that it finds a mover."""
_IN_MOT = {"person": "pedestrian", "cyclist": "bicycle", "car": "car", "van": "car"}


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Who has been seen lately by one camera: fed picture by picture, it tells the rows of each."""

    camera: Camera
    trajectories: Trajectories
    number: Int[np.ndarray, " m"]
    """Each mover's number, 0 before its first; written to."""
    seen_s: Float[np.ndarray, " m"]
    """When each was last seen; written to."""

    @classmethod
    def of(cls, camera: Camera, trajectories: Trajectories) -> "Visits":
        """Nobody seen yet."""
        n = trajectories.n_movers
        return cls(camera, trajectories, np.zeros(n, np.int64), np.full(n, -np.inf))

    def rows(self, moment: Moment, shot: Shot) -> Tracks:
        """The truth of the next picture.

        A mover that has been seen in the last ``MEMORY_S`` seconds is listed, also while it is hidden.
        ``number`` is new after each longer absence; the extra column ``identity`` stays for good.
        """
        mover = shot.mover
        seen = mover[shot.visibility >= GLIMPSE]
        fresh = seen[(self.number[seen] == 0) | (moment.t_s - self.seen_s[seen] > MEMORY_S)]
        self.number[fresh] = self.number.max(initial=0) + 1 + np.arange(len(fresh))
        self.seen_s[seen] = moment.t_s
        box = clipped(shot.xyxy_px, self.camera.width, self.camera.height)
        size = box[:, 2:] - box[:, :2]
        listed = (moment.t_s - self.seen_s[mover] <= MEMORY_S) & (size >= (SMALLEST_PX / 2, SMALLEST_PX)).all(axis=1)
        order = np.flatnonzero(listed)[np.argsort(mover[listed], kind="stable")]
        who = mover[order]
        ground = self.trajectories.xy_enu_m[moment.index, who]
        return Tracks(
            camera=self.camera.name,
            frame_index=np.full(len(who), moment.index),
            t_s=np.full(len(who), moment.t_s),
            number=self.number[who],
            xyxy_px=box[order],
            score=np.ones(len(who)),
            label=self.trajectories.label[who],
            detection=np.full(len(who), -1),
            classes=CLASSES,
            extra={
                "visibility": shot.visibility[order],
                "identity": who + 1,
                "ground_enu_m": np.concatenate([ground, np.zeros((len(who), 1))], axis=1),
            },
        )


def joined(camera: str, parts: Iterable[Tracks]) -> Tracks:
    """The truth of several pictures of a camera as one; it has its extra columns also where nobody is seen."""
    truth = Tracks.joined(camera, parts, CLASSES)
    nobody = {"visibility": np.zeros(0), "identity": np.zeros(0, np.int64), "ground_enu_m": np.zeros((0, 3))}
    return truth if len(truth) else replace(truth, extra=nobody)


def clearly_seen(truth: Tracks, at_least: float = CLEAR) -> Tracks:
    """The rows of which at least that share of the outline can be seen: what a tracker is measured against."""
    return truth.rows(truth.extra["visibility"] >= at_least)


def as_mot(truth: Tracks) -> Tracks:
    """The truth in the classes of the MOT Challenge: score 1 for what is clearly seen, 0 for what is not."""
    label = np.array([MOT_CLASSES.index(_IN_MOT[name]) for name in truth.classes])[truth.label]
    visibility = truth.extra["visibility"]
    score = (visibility >= CLEAR).astype(float)
    return replace(truth, label=label, score=score, classes=MOT_CLASSES, extra={"visibility": visibility})
