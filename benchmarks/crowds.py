"""Who is who in places made up to differ from every recording we have: ours, the plain method, and the best possible.

``python benchmarks/crowds.py [--only NAME,NAME] [--seeds 0,1] [--faults]``

Places, in the spirit of sets that others keep: ``square`` (6 cameras, 25 x 16 m, 40 people, 2 pictures a second, as
MultiviewX), ``terrace`` (4 cameras, a small room, 8 people who mill about, 25 a second, as EPFL's), ``campus`` (4
cameras of which two overlap, people who leave and come back, with looks), ``shop`` (12 cameras between shelves, 10 a
second, people who stop for long), ``fused`` (places from elsewhere, as of one camera, no boxes). People walk from
target to target, a third of them in pairs, and keep out of each other's way (a social force, Helbing and Molnar 1995);
none of that is how our filter takes them to walk. Boxes tremble by a share of their height, are missed at random and
mostly where somebody nearer hides them, and made up; ``square`` has them bare, the others as ``botsort`` follows them.
``hard`` means more of all that.

``plain`` is the method of ``wildtrack.py`` with the best of three distances for clusters, chosen by its own score.
``most`` takes everybody's true identity for every box, and the same smoothing: what the boxes allow.
IDF1, MOTA and HOTA are on the ground, within 1 m, of people in at least one camera's picture, five times a second.
``--faults``: no covariance, wrong ones, no views, places far from their origin, clocks and homographies that are off.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import argparse
import time
from dataclasses import dataclass, replace

import numpy as np
from wildtrack import followed_plainly

from sightline import wiring
from sightline.evaluation.clear import clear
from sightline.evaluation.hota import hota
from sightline.evaluation.identity import identity
from sightline.evaluation.places import Places, _paired, _sorted
from sightline.geometry.camera import intrinsics
from sightline.geometry.rigid import looking_at
from sightline.identifiers.ground import Ground
from sightline.identifiers.learning import spread
from sightline.identifiers.mending import JOIN_S
from sightline.identifiers.moments import STEP_S, seen
from sightline.identifiers.odds import Odds
from sightline.identifiers.strands import Strands
from sightline.locators.homography import Homography
from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.identities import Sightings
from sightline.model.tracks import Tracks
from sightline.model.view import View

TALL_M, WIDE = 1.72, 0.35
LOOK_LENGTH = 16


@dataclass(frozen=True)
class Scene:
    """A place and how it is watched. Cameras are (east, north, up, east and north of what they look at, degrees)."""

    size_m: tuple
    n_people: int
    cameras: tuple
    fps: float
    duration_s: float
    speed_mps: float = 1.1
    stops: float = 0.2
    stop_s: float = 3.0
    leaves: bool = False
    looks: bool = False
    tracked: bool = True
    missed: float = 0.1
    jitter: float = 0.02
    n_false: float = 0.05
    place_m: float = 0.0
    """Above 0: places are known so well and come from no camera."""


def around(width_m, depth_m, n, up_m, fov, aim=0.5):
    """Cameras on an ellipse about the place, looking at its middle or beyond."""
    turn = np.linspace(0, 2 * np.pi, n, endpoint=False) + 0.4
    middle = np.array([width_m, depth_m]) / 2
    out = np.column_stack([np.cos(turn), np.sin(turn)])
    return tuple((*(middle + out * middle * 1.35), up_m, *(middle - out * middle * (aim - 0.5)), fov) for out in out)


SHELVES = tuple((x, y, 3.2, x + (3 if x < 15 else -3), 10.0, 80) for x in (1, 8, 15, 22, 29) for y in (0.5, 19.5))
SCENES = {
    "square": Scene((25, 16), 40, around(25, 16, 6, 3.5, 75), 2, 200, stops=0.05, tracked=False, jitter=0.015),
    "terrace": Scene((7, 9), 8, around(7, 9, 4, 2.2, 70), 25, 100, speed_mps=0.7, stops=0.6, missed=0.15),
    "campus": Scene(
        (40, 18),
        14,
        ((0, 0, 5, 8, 9, 60), (16, 0, 5, 9, 10, 60), (24, 0, 5, 29, 9, 60), (40, 18, 5, 36, 8, 60)),
        25,
        150,
        leaves=True,
        looks=True,
    ),
    "shop": Scene(
        (30, 20),
        25,
        (*SHELVES, (0, 10, 3.2, 6, 10, 80), (30, 10, 3.2, 24, 10, 80)),
        10,
        100,
        0.9,
        0.8,
        12.0,
        missed=0.2,
    ),
    "fused": Scene((25, 16), 30, (), 2, 200, tracked=False, place_m=0.2),
}
HARD = {
    "square": {"missed": 0.3, "jitter": 0.04, "n_false": 0.5},
    "terrace": {"missed": 0.4, "jitter": 0.04, "n_false": 0.3},
    "campus": {"missed": 0.3, "jitter": 0.04, "n_false": 0.2},
    "shop": {"missed": 0.4, "jitter": 0.03, "n_false": 0.2},
    "fused": {"missed": 0.25, "place_m": 0.4, "n_false": 2.0},
}


@dataclass(frozen=True)
class Made:
    """What a place gave: sightings, whose each is (-1: nobody's), views, and the truth."""

    sightings: Sightings
    who: np.ndarray
    views: dict
    truth: Places
    step_s: float


def walks(scene, rng):
    """Where everybody is: people x moments x 2, and NaN where they are away."""
    n, size = scene.n_people, np.array(scene.size_m, float)
    dt = 1 / scene.fps / max(round(1 / scene.fps / 0.1), 1)
    every = round(1 / scene.fps / dt)
    leader = np.where((np.arange(n) % 3 == 1) & (np.arange(n) < n - n % 3), np.arange(n) - 1, np.arange(n))
    xy, v = rng.uniform(0, 1, (n, 2)) * size, np.zeros((n, 2))
    xy[leader != np.arange(n)] = xy[leader[leader != np.arange(n)]] + 0.6
    goal, pause, away = rng.uniform(0, 1, (n, 2)) * size, np.zeros(n), np.zeros(n)
    brisk = np.clip(rng.normal(scene.speed_mps, 0.2, n), 0.3, 2.0)
    side, legs, paths = rng.uniform(-0.7, 0.7, (n, 2)), np.zeros(n, int), []
    for step in range(round(scene.duration_s / dt)):
        out = away > 0
        if step % every == 0:
            paths.append(np.where(out[:, None], np.nan, xy))
        pause, away = np.maximum(pause - dt, 0), np.maximum(away - dt, 0)
        there = (np.linalg.norm(goal - xy, axis=1) < 0.5) & (pause <= 0)
        for k in np.flatnonzero(there & (leader == np.arange(n))):
            legs[k] += 1
            pause[k] = rng.exponential(scene.stop_s) if rng.random() < scene.stops else 0
            goal[k] = rng.uniform(0, 1, 2) * size
            if scene.leaves and legs[k] % 3 == 2:
                goal[k] = np.array([rng.choice([-3, size[0] + 3]), rng.uniform(0, size[1])])
            if scene.leaves and legs[k] % 3 == 0:
                away[k], pause[k] = rng.uniform(8, 40), 0
        follows = np.flatnonzero(leader != np.arange(n))
        goal[follows] = xy[leader[follows]] + side[follows]
        away[follows], brisk[follows] = away[leader[follows]], brisk[leader[follows]] * 1.15
        way = goal - xy
        length = np.maximum(np.linalg.norm(way, axis=1), 1e-6)
        wanted = way / length[:, None] * np.minimum(brisk, length * 1.5)[:, None] * (pause <= 0)[:, None]
        apart = xy[:, None] - xy
        d = np.linalg.norm(apart, axis=2) + 10 * np.eye(n)
        push = (apart / d[..., None] * (2.0 * np.exp(-(d - 0.5) / 0.3) * ~(out[:, None] | out))[..., None]).sum(axis=1)
        v += dt * ((wanted - v) / 0.5 + push + rng.normal(0, 0.15, (n, 2)) / np.sqrt(dt))
        xy = np.where((away > 0)[:, None], xy, xy + v * dt)
    return np.stack(paths, axis=1)


def view_of(name, camera):
    """The homography and the camera's matrix."""
    *eye, east, north, fov = camera
    cam_from_enu = looking_at(np.array(eye, float), np.array([east, north, 1.0]))
    matrix = intrinsics(1920, 1080, np.deg2rad(fov)) @ cam_from_enu[:3]
    return View(name, 1920, 1080, matrix[:, [0, 1, 3]]), matrix


def boxes_of(paths, matrix):
    """Boxes (people, moments, 4), how far their people are, and whether they stand in the picture."""
    foot = paths @ matrix[:, :2].T + matrix[:, 3]
    head = foot + TALL_M * matrix[:, 2]
    far = foot[..., 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        foot, head = foot[..., :2] / far[..., None], head[..., :2] / head[..., 2:]
        half = WIDE * (foot[..., 1] - head[..., 1]) / 2
        inside = (far > 0.5) & (foot[..., 0] > 0) & (foot[..., 0] < 1920) & (foot[..., 1] > 0) & (foot[..., 1] < 1080)
    box = np.stack([foot[..., 0] - half, head[..., 1], foot[..., 0] + half, foot[..., 1]], axis=-1)
    return box, far, inside


def covered(box, far, inside):
    """How much of each box the one who hides most of it hides."""
    low = np.maximum(box[:, None, :2], box[None, :, :2])
    high = np.minimum(box[:, None, 2:], box[None, :, 2:])
    area = np.prod(np.maximum(high - low, 0), axis=2) / np.prod(box[:, 2:] - box[:, :2], axis=1)[:, None]
    return np.where((far[None] < far[:, None]) & inside, area, 0).max(axis=1, initial=0)


def filmed(scene, paths, name, camera, faces, rng):
    """One camera's sightings, whose each is, its view, and who stands in its picture when."""
    view, matrix = view_of(name, camera)
    box, far, inside = boxes_of(paths, matrix)
    tracker, parts, who = wiring.build("tracker", "botsort", {}), [], []
    for k in range(paths.shape[1]):
        there = np.flatnonzero(inside[:, k])
        hidden = covered(box[there, k], far[there, k], np.ones(len(there), bool))
        there = there[rng.random(len(there)) >= np.where(hidden > 0.6, 0.9, scene.missed)]
        own = box[there, k]
        size = own[:, 2:] - own[:, :2]
        own = own + np.tile(rng.normal(0, scene.jitter, (len(own), 2)) * size, 2)
        own[:, 1] += rng.normal(0, scene.jitter, len(own)) * size[:, 1]
        made_up = box[:, rng.integers(paths.shape[1]), :][: rng.poisson(scene.n_false)]
        made_up = made_up[np.isfinite(made_up).all(axis=1)]
        own = np.concatenate([own, made_up]).clip(0, [1920, 1080, 1920, 1080])
        of = np.append(there, np.full(len(made_up), -1))
        good = (own[:, 2:] - own[:, :2] > 5).all(axis=1)
        own, of = own[good], of[good]
        moment = Moment(name, k, k / scene.fps)
        found = Detections(own, np.full(len(own), 0.9), np.zeros(len(own), np.int64), ("person",))
        if scene.tracked:
            tracks = tracker.update(moment, found)
            of = np.where(tracks.detection >= 0, of[np.maximum(tracks.detection, 0)] if len(of) else -1, -1)
        else:
            none = np.full(len(own), -1)
            tracks = Tracks(
                name,
                np.full(len(own), k),
                np.full(len(own), k / scene.fps),
                none,
                own,
                found.score,
                found.label,
                none,
                classes=("person",),
            )
        parts.append(tracks)
        who.append(of)
    tracks, who = Tracks.joined(name, parts, ("person",)), np.concatenate(who)
    look = None
    if scene.looks:
        face = np.concatenate([faces, rng.normal(0, 1, (1, LOOK_LENGTH))])[who]
        look = face + 0.6 * rng.normal(0, 1, (1, LOOK_LENGTH)) + 1.0 * rng.normal(0, 1, face.shape)
        look /= np.linalg.norm(look, axis=1, keepdims=True)
    locator = Homography(view=view)
    sightings = Sightings.of(tracks, locator.locate(tracks), locator.whole(tracks.xyxy_px), look, size_px=(1920, 1080))
    return sightings, who, view, inside


def fused(scene, paths, rng):
    """Places from elsewhere, as of one camera."""
    rows = []
    for k in range(paths.shape[1]):
        there = np.flatnonzero(np.isfinite(paths[:, k, 0]) & (rng.random(len(paths)) >= scene.missed))
        xy = paths[there, k] + rng.normal(0, scene.place_m, (len(there), 2))
        rows += [(k, who, *place) for who, place in zip(there, xy, strict=True)]
        rows += [(k, -1, *place) for place in rng.uniform(0, 1, (rng.poisson(scene.n_false), 2)) * scene.size_m]
    k, who, x, y = np.array(rows).T
    n = len(rows)
    sightings = Sightings(
        ("all",), np.zeros(n, np.int64), k / scene.fps, np.full(n, -1), np.column_stack([x, y]),
        np.tile(scene.place_m**2 * np.eye(2), (n, 1, 1)), np.ones(n, bool), np.zeros((n, 0)), np.full((n, 4), np.nan),
    )  # fmt: skip
    return sightings, who.astype(int)


def made(scene, seed):
    """The place, watched."""
    rng = np.random.default_rng(seed)
    paths, faces = walks(scene, rng), rng.normal(0, 1, (scene.n_people, LOOK_LENGTH))
    shown = np.isfinite(paths[..., 0])
    views, parts = {}, []
    if scene.place_m:
        sightings, who = fused(scene, paths, rng)
    else:
        parts = [filmed(scene, paths, f"c{k:02d}", camera, faces, rng) for k, camera in enumerate(scene.cameras)]
        sightings, who = Sightings.joined([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        views = {part[2].camera: part[2] for part in parts}
        shown = np.any([part[3] for part in parts], axis=0)
    step = max(round(STEP_S * scene.fps), 1)
    person, at = np.nonzero(shown[:, ::step])
    return Made(sightings, who, views, Places(at, person, paths[person, at * step]), step / scene.fps)


def ours(one):
    """Places that we find, and CPU seconds."""
    began = time.process_time()
    paths = Ground(views=one.views).identify(one.sightings).paths
    return placed(one, paths.t_s, paths.number, paths.xy_enu_m), time.process_time() - began


def placed(one, t_s, number, xy_m):
    """One place of everybody for each moment of the truth, the first, and nobody outside of all pictures."""
    at = np.rint(t_s / one.step_s).astype(int)
    _, first = np.unique(np.column_stack([at, number]), axis=0, return_index=True)
    return Places(at[first], number[first], xy_m[first])


def most(one):
    """Places with everybody's true identity."""
    middle_m = np.nanmedian(one.sightings.xy_enu_m, axis=0)
    said = seen(one.sightings, middle_m)
    odds, who = Odds(), one.who[said.row]
    order = np.lexsort((said.t_s[said.moment], who))
    t_s, person = said.t_s[said.moment][order], who[order]
    anew = np.append(True, (np.diff(person) != 0) | (np.diff(t_s) > JOIN_S))
    visit = np.full(len(who), -1)
    visit[order] = np.where(person >= 0, np.cumsum(anew), -1)
    of_visit = np.zeros(visit.max() + 1, int)
    of_visit[visit] = who
    strands = Strands.of(visit, spread(said, 0.5, 0.15), odds)
    rows = np.flatnonzero(strands.within)
    number = of_visit[strands.number[strands.person[rows]]]
    return placed(one, strands.t_s[rows], number, strands.all.mean[rows, :2] + middle_m)


def plain(one):
    """The plain method's best of three, and its CPU seconds."""
    known = np.isfinite(one.sightings.xy_enu_m).all(axis=1)
    tries = []
    k = np.rint(one.sightings.t_s[known] / one.step_s).astype(int)
    t_s, camera = one.sightings.t_s[known], one.sightings.camera[known]
    shown = np.abs(t_s - k * one.step_s) < 0.02
    for apart_m in (0.5, 1.0, 1.6):
        for at_least in (1, 2) if len(one.views) > 1 else (1,):
            began = time.process_time()
            rows = followed_plainly(
                k[shown], camera[shown], one.sightings.xy_enu_m[known][shown], apart_m, one.step_s, at_least
            )
            tries.append(
                (Places(rows[:, 0].astype(int), rows[:, 1].astype(int), rows[:, 2:]), time.process_time() - began)
            )
            if not one.views:
                return tries[0]
    return max(tries, key=lambda tried: scored(one, tried[0])[0])


def scored(one, found):
    """IDF1, MOTA and HOTA in percent."""
    pairing = _paired(_sorted(one.truth), _sorted(found), 1.0)
    ids, counts = identity(pairing, 0.5), clear(pairing, 0.5)
    mota = 1 - (counts.fn + counts.fp + counts.idsw) / len(one.truth.moment)
    return 200 * ids.tp / (2 * ids.tp + ids.fp + ids.fn), 100 * mota, 100 * float(hota(pairing).hota.mean())


def changed(one, **columns):
    """The same with other columns."""
    own = {name: getattr(one.sightings, name) for name in Sightings.__slots__}
    return replace(one, sightings=Sightings(**(own | columns)))


def faults(one, rng):
    """What may be wrong with what we are given."""
    s = one.sightings
    first = s.camera == 0
    yield "no covariance", changed(one, cov_enu_m2=np.zeros_like(s.cov_enu_m2))
    yield "covariance a ninth", changed(one, cov_enu_m2=s.cov_enu_m2 / 9)
    yield "covariance nine times", changed(one, cov_enu_m2=s.cov_enu_m2 * 9)
    yield "no views", replace(one, views={})
    far = np.array([1e5, -1e5])
    move = np.array([[1, 0, -far[0]], [0, 1, -far[1]], [0, 0, 1]])
    views = {name: View(name, v.width, v.height, v.px_from_enu @ move) for name, v in one.views.items()}
    truth = replace(one.truth, xy_m=one.truth.xy_m + far)
    yield "100 km from the origin", replace(changed(one, xy_enu_m=s.xy_enu_m + far), views=views, truth=truth)
    when = np.unique(np.column_stack([s.camera, s.t_s]), axis=0, return_inverse=True)[1].reshape(-1)
    yield "times off by 20 ms", changed(one, t_s=s.t_s + rng.normal(0, 0.02, when.max() + 1)[when])
    if len(one.views) > 1:
        for late_s in (0.2, 0.5):
            yield f"c00 late by {late_s} s", changed(one, t_s=s.t_s + late_s * first)
        yield "c00 off by 0.3 m", changed(one, xy_enu_m=s.xy_enu_m + 0.3 * first[:, None] / np.sqrt(2))


def printed(title, one, with_plain=True):
    found, cpu_s = ours(one)
    basis, basis_s = plain(one) if with_plain else (None, 0.0)
    rows = {"ours": scored(one, found), "most": scored(one, most(one))}
    rows |= {"plain": scored(one, basis)} if with_plain else {}
    said = "".join(f"  {name} " + " ".join(f"{x:5.1f}" for x in score) for name, score in rows.items())
    rate = len(np.unique(np.column_stack([one.sightings.camera, one.sightings.t_s]), axis=0)) / cpu_s
    print(
        f"{title:36s}{said}   {rate:.0f} per CPU s" + (f", {basis_s / cpu_s:.2f} of plain's" if with_plain else ""),
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SCENES))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--faults", action="store_true")
    given = parser.parse_args()
    for seed in map(int, given.seeds.split(",")):
        for name in given.only.split(","):
            for hard in (False, True):
                scene = replace(SCENES[name], **HARD[name]) if hard else SCENES[name]
                one = made(scene, seed)
                title = f"{name}{', hard' * hard}, seed {seed}"
                printed(title, one)
                if given.faults and not hard:
                    for fault, other in faults(one, np.random.default_rng(seed)):
                        printed(f"  {fault}", other, with_plain=False)


if __name__ == "__main__":
    main()
