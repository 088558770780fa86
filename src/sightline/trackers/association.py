"""The association core: what all trackers here do, told apart by a recipe of a few rounds."""

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation import kalman
from sightline.estimation.assignment import Pairs, assigned
from sightline.model.arrays import Boxes, Labels, Scores
from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.trackers.likeness import likeness
from sightline.trackers.momentum import agreement, replayed
from sightline.trackers.recipe import Recipe, Round
from sightline.trackers.sway import common
from sightline.trackers.table import TENTATIVE, Table

_AT_REST = np.eye(3)


class Association:
    """Follows things through the moments of one camera by a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._table = Table.empty()
        self._n_numbered = 0
        self._before_s: float | None = None

    def update(self, moment: Moment, found: Detections) -> Tracks:
        """As the ``Tracker`` port says.

        Raises:
            ValueError: the moment is not later than the one before.
        """
        dt_s = self._elapsed_s(moment)
        kept = _looked_at(found, self._recipe.weak)
        xyxy = found.xyxy_px[kept].astype(np.float64, copy=False)
        score, label = found.score[kept], found.label[kept]
        measured = kalman.measured_from_xyxy(xyxy)
        self._drop_lost(moment.t_s)
        self._forecast(dt_s, moment)
        rows, cols = self._matched(xyxy, measured, score, label)
        self._see(rows, xyxy[cols], measured[cols], moment, dt_s)
        number = np.zeros(len(kept), np.int64)
        number[cols] = self._table.number[rows]
        new = score >= max(self._recipe.birth, self._recipe.strong)
        new[cols] = False
        if new.any():
            number[new] = self._begun(xyxy[new], measured[new], label[new], moment.t_s)
        self._before_s = moment.t_s
        told = number.nonzero()[0]
        return _tracks(moment, found, kept[told], number[told])

    def _elapsed_s(self, moment: Moment) -> float:
        """Seconds since the moment before; 0 at the first."""
        if self._before_s is None:
            return 0.0
        if not moment.t_s > self._before_s:
            raise ValueError(
                f"picture {moment.index} of {moment.camera!r} is at {moment.t_s} s, not after the one before it"
                f" ({self._before_s} s); give pictures in order, and each camera its own tracker"
            )
        return moment.t_s - self._before_s

    def _forecast(self, dt_s: float, moment: Moment) -> None:
        """Moves every belief to now."""
        table = self._table
        if not len(table):
            return
        table.belief = kalman.stepped(table.belief, dt_s, self._recipe.motion)
        px_from_before = moment.px_from_before if self._recipe.follows_camera else None
        if px_from_before is not None and not np.array_equal(px_from_before, _AT_REST):
            table.belief = kalman.moved(table.belief, px_from_before)

    def _matched(
        self, xyxy: Boxes, measured: kalman.Measured, score: Scores, label: Labels
    ) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
        """Rows of the table and of the detections that belong together, from all rounds."""
        owner = np.full(len(score), -1)
        if not len(self._table) or not len(score):
            return owner[:0], owner[:0]
        free = np.ones(len(self._table), np.bool_)
        strong = score >= self._recipe.strong
        overlap = {}
        for each in self._recipe.rounds:
            cols = ((owner < 0) & (strong if each.detections == "strong" else ~strong)).nonzero()[0]
            if not len(cols):
                continue
            rows = (free & self._eligible(each)).nonzero()[0]
            if not len(rows):
                continue
            if each.against not in overlap:
                overlap[each.against] = self._alike(each, xyxy, measured, label)
            similarity = overlap[each.against][rows[:, None], cols]
            i, j = self._paired(each, similarity, rows, measured[cols], score[cols])
            owner[cols[j]] = rows[i]
            free[rows[i]] = False
        matched = (owner >= 0).nonzero()[0]
        return owner[matched], matched

    def _paired(
        self, each: Round, similarity: Float[np.ndarray, "n m"], rows: Int[np.ndarray, " n"],
        measured: Float[np.ndarray, "m 4"], score: Float[np.ndarray, " m"],
    ) -> Pairs:  # fmt: skip
        """The best pairs of one round."""
        if each.fused:
            similarity = similarity * score
        if not each.momentum:
            return assigned(1 - similarity, 1 - each.at_least)
        bonus = each.momentum * score * agreement(self._table.trail_px[rows], measured[:, :2])
        cost = np.where(similarity > each.at_least, 1 - similarity - bonus, np.inf)
        return assigned(cost, 1 - each.at_least + each.momentum)

    def _eligible(self, each: Round) -> Bool[np.ndarray, " n"]:
        """Which rows of the table may take part in a round."""
        table = self._table
        match each.tracks:
            case "all":
                return np.ones(len(table), np.bool_)
            case "believed":
                return table.number > TENTATIVE
            case "just seen":
                return (table.number > TENTATIVE) & (table.seen_s == self._before_s)
            case "tentative":
                return table.number == TENTATIVE

    def _alike(self, each: Round, xyxy: Boxes, measured: kalman.Measured, label: Labels) -> Float[np.ndarray, "t n"]:
        """How alike every row of the table is to every detection; below any threshold for another class."""
        table = self._table
        ours = kalman.xyxy_from_measured(table.belief[0]) if each.against == "forecast" else table.seen_px
        alike = likeness(self._recipe.overlap, ours, table.belief, xyxy, measured)
        several = (label != label[0]).any() or (table.label != label[0]).any()
        if several and not self._recipe.across_classes:
            alike[table.label[:, None] != label] = -np.inf
        return alike

    def _see(
        self, rows: Int[np.ndarray, " k"], xyxy: Boxes, measured: kalman.Measured, moment: Moment, dt_s: float
    ) -> None:
        """Tells rows of the table what was seen of them; those seen often enough get their number."""
        if not len(rows):
            return
        table, recipe, t_s = self._table, self._recipe, moment.t_s
        before = table.belief.take(rows, axis=1)
        belief = kalman.updated(before, measured, recipe.motion)
        if recipe.follows_camera and moment.px_from_before is None and len(rows) < len(table):
            self._carry_along(before, belief, measured)
        if recipe.replays:
            self._replay(rows, belief, measured, t_s, dt_s)
            table.belief_seen[:, rows] = belief
            table.trail_px[rows] = np.concatenate([measured[:, None, :2], table.trail_px[rows, :-1]], axis=1)
        table.belief[:, rows] = belief
        table.seen_px[rows] = xyxy
        table.seen_s[rows] = t_s
        table.hits[rows] += 1
        new = rows[(table.number[rows] == TENTATIVE) & (table.hits[rows] >= recipe.confirm_hits)]
        table.number[new] = self._numbers(len(new))

    def _carry_along(self, before: kalman.Belief, after: kalman.Belief, measured: kalman.Measured) -> None:
        """Lets the rows not seen share what surprised all that were: nobody looked, but the camera has moved.

        The rows seen are moved along, too; the caller overwrites them.
        """
        surprise = np.empty((len(measured), 4))
        surprise[:, :2] = measured[:, :2] - before[0, :, :2]
        surprise[:, 2:] = after[1, :, :2] - before[1, :, :2]
        self._table.belief[:2, :, :2] += common(surprise).reshape(2, 1, 2)

    def _replay(
        self, rows: Int[np.ndarray, " k"], belief: kalman.Belief, measured: kalman.Measured, t_s: float, dt_s: float
    ) -> None:
        """Overwrites the belief of those found again after a gap."""
        table = self._table
        gaps_s = t_s - table.seen_s[rows]
        gone = gaps_s > 1.5 * dt_s
        if gone.any():
            last = kalman.measured_from_xyxy(table.seen_px[rows[gone]])
            before = table.belief_seen[:, rows[gone]]
            belief[:, gone] = replayed(before, last, measured[gone], gaps_s[gone], dt_s, self._recipe.motion)

    def _drop_lost(self, t_s: float) -> None:
        """Forgets what was missed in the moment before and not yet believed, and what was not seen for long."""
        table = self._table
        kept = t_s - table.seen_s <= self._recipe.lost_s
        kept &= (table.number > TENTATIVE) | (table.seen_s == self._before_s)
        if not kept.all():
            self._table = table.rows(kept)

    def _begun(self, xyxy: Boxes, measured: kalman.Measured, label: Labels, t_s: float) -> Int[np.ndarray, " n"]:
        """Begins to follow; what numbers they got, 0 for those not yet believed."""
        new = Table.begun(measured, xyxy, label, t_s, self._recipe.motion)
        if self._recipe.confirm_hits <= 1 or (self._recipe.trusts_first and self._before_s is None):
            new.number[:] = self._numbers(len(new))
        self._table = self._table.joined(new)
        return new.number

    def _numbers(self, n: int) -> Int[np.ndarray, " n"]:
        """The next ``n`` numbers."""
        self._n_numbered += n
        return np.arange(self._n_numbered - n + 1, self._n_numbered + 1)


def _looked_at(found: Detections, weak: float) -> Int[np.ndarray, " k"]:
    """Rows that can be tracked: score above ``weak`` (NaN is not), a box with finite sides above 0."""
    left, top, right, bottom = found.xyxy_px.T
    whole = (right > left) & (bottom > top) & np.isfinite(found.xyxy_px).all(axis=1)
    return (whole & (found.score >= weak)).nonzero()[0]


def _tracks(moment: Moment, found: Detections, rows: Int[np.ndarray, " k"], number: Int[np.ndarray, " k"]) -> Tracks:
    """The rows of ``found`` that are tracked."""
    n = len(rows)
    return Tracks(
        moment.camera, np.full(n, moment.index), np.full(n, moment.t_s), number, found.xyxy_px[rows],
        found.score[rows], found.label[rows], rows, found.classes,
        {name: column[rows] for name, column in found.extra.items()},
    )  # fmt: skip
