"""Who is who on a simulated site: every embedder, both identifiers, how wrong places are, and whether they say so.

``python benchmarks/site.py [--more] [--seeds 0,1] [--boxes good,people_hog] [--folder KEPT]``

Four cameras (two see one square, two stand apart), 20 people who leave and come back, 2 vehicles, three minutes at
five pictures a second, 640x360; rendered, so that looks are those of pictures. ``good`` boxes are those of a good
detector (10 % of the clearly visible missed, edges off by 2 % of the box, a false one in ten pictures); other names
are our own detectors on the pictures. Each camera is followed by ``botsort``; looks are taken by ``pipeline.looking``.

Columns: IDF1 of boxes, cross-camera: one number for everybody in all cameras and after every return (IoU .5; people
of whom less than a quarter shows are neither right nor wrong). ``most``: the same with every box that matches
somebody called right: what boxes allow. Then on the ground, within 1 m: IDF1, median error and that of nine in ten;
and CE90: of places seen at the time, how many lie within the ellipse that should hold 90 %.
Speed is pictures x cameras per second of CPU time of the identifier alone, one thread; its ratio is to the same
without looks. ``alone``: every camera's own track numbers, no identities: what is there to be gained.

``--more``: other situations; looks at any box rather than at good ones; and cameras that are off.
Filming takes minutes, and is kept in ``--folder``.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from site_recording import EMBEDDERS, Watched, watched

from sightline import simulation
from sightline.evaluation import evaluate, forgiven
from sightline.evaluation.places import Places, scored
from sightline.geometry.boxes import iou
from sightline.geometry.homography import px_from_map
from sightline.identifiers.gallery import Gallery
from sightline.identifiers.ground import Ground
from sightline.locators.homography import Homography
from sightline.model.identities import Sightings
from sightline.model.tracks import Tracks
from sightline.model.view import View
from sightline.pipeline.looking import LEAST_WORTH
from sightline.simulation.truth import CLEAR

CE90 = -2 * np.log(0.1)
"""Squared Mahalanobis length within which 90 % of a normal law of two dimensions lies."""
THRESHOLDS = {"colour": 0.85}
"""The gallery's, where the usual one is not right."""


@dataclass(frozen=True)
class Recording:
    """Some cameras of one site, watched."""

    plan: simulation.Plan
    views: dict
    watched: dict


def recorded(plan, cameras, boxes, folder, worths=(LEAST_WORTH,)):
    site = simulation.Simulation(plan)
    own = [camera for camera in site.cameras if camera.name in cameras]
    views = {c.name: View(c.name, c.width, c.height, px_from_map(c)) for c in own}
    return Recording(plan, views, {name: watched(plan, name, boxes, folder, worths) for name in views})


def sighted(recording, embedder, worth=LEAST_WORTH):
    """What identifiers are given; ``embedder`` None: no looks."""
    parts = []
    for name, one in recording.watched.items():
        view = recording.views[name]
        locator = Homography(view=view)
        look = None if embedder is None else one.looks[f"{embedder}, {worth:g}"]
        parts.append(
            Sightings.of(
                one.tracks, locator.locate(one.tracks), locator.whole(one.tracks.xyxy_px), look,
                size_px=(view.width, view.height),
            )
        )  # fmt: skip
    return Sightings.joined(parts)


def online(sightings, gallery, fps):
    """The numbers that a gallery gives when asked picture by picture."""
    number = np.full(len(sightings), -1)
    moment = np.rint(sightings.t_s * fps).astype(int)
    order = np.argsort(moment, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(moment[order])) + 1):
        number[rows] = gallery.identify(sightings.rows(rows)).number
    return number


def together(recording, number):
    """Truth and found of all cameras as one sequence, so that one number must hold in all of them."""
    truth, found, first, row = [], [], 0, 0
    for one in recording.watched.values():
        hidden = (one.truth.extra["visibility"] < CLEAR) | (one.truth.label != one.truth.classes.index("person"))
        real = replace(one.truth, number=one.truth.extra["identity"])
        mine = replace(one.tracks, number=number[row : row + len(one.tracks)])
        row += len(one.tracks)
        for rows, kept in zip(forgiven(real, mine, hidden), (truth, found), strict=True):
            kept.append(replace(rows, camera="site", frame_index=rows.frame_index + first, extra={}))
        first += recording.plan.n_frames
    return tuple(Tracks.joined("site", [replace(t, classes=("person",), label=0 * t.label) for t in kept])
                 for kept in (truth, found))  # fmt: skip


def alone(recording):
    """Numbers of tracks, every camera by itself."""
    sizes = [one.tracks.number for one in recording.watched.values()]
    return np.concatenate([10_000 * k + number for k, number in enumerate(sizes)])


def ideal(recording):
    """The true identity of each found box; -1: nobody's."""
    numbers = []
    for one in recording.watched.values():
        number = np.full(len(one.tracks), -1)
        for frame in np.intersect1d(one.truth.frame_index, one.tracks.frame_index):
            mine, real = (np.flatnonzero(t.frame_index == frame) for t in (one.tracks, one.truth))
            overlap = iou(one.tracks.xyxy_px[mine], one.truth.xyxy_px[real])
            while overlap.max(initial=0) >= 0.5:
                i, j = np.unravel_index(overlap.argmax(), overlap.shape)
                number[mine[i]] = one.truth.extra["identity"][real[j]]
                overlap[i], overlap[:, j] = 0, 0
        numbers.append(number)
    return np.concatenate(numbers)


def real_places(recording):
    """Where everybody was whom some camera saw clearly."""
    rows = []
    for one in recording.watched.values():
        seen = (one.truth.extra["visibility"] >= CLEAR) & (one.truth.label == one.truth.classes.index("person"))
        truth = one.truth.rows(seen)
        rows.append(np.column_stack([truth.frame_index, truth.extra["identity"], truth.extra["ground_enu_m"][:, :2]]))
    every = np.concatenate(rows)
    _, once = np.unique(every[:, :2], axis=0, return_index=True)
    return every[once]


def on_the_ground(recording, sightings, found, owner):
    """IDF1 within 1 m, median and 90 % error, and the share of places inside their own ellipse of 90 %.

    For that share every place seen at the time is held against the true one of whom most of its boxes are of.
    """
    real, fps, seen = real_places(recording), recording.plan.fps, found.paths.n_cameras > 0
    paths, at = found.paths, np.rint(found.paths.t_s * fps).astype(int)
    truth = Places(real[:, 0].astype(int), real[:, 1].astype(int), real[:, 2:])
    scores = scored(truth, Places(at[seen], paths.number[seen], paths.xy_enu_m[seen]))
    mine = (found.number > 0) & (owner > 0)
    moment = np.rint(sightings.t_s * fps).astype(int)
    person = dict(zip(zip(moment[mine], found.number[mine], strict=True), owner[mine], strict=True))
    place = {(int(m), int(who)): (x, y) for m, who, x, y in real}
    of_row = [place.get((m, person.get((m, n), -1))) for m, n in zip(at.tolist(), paths.number.tolist(), strict=True)]
    rows = [row for row in np.flatnonzero(seen) if of_row[row] is not None]
    off = paths.xy_enu_m[rows] - np.array([of_row[row] for row in rows])
    squared = np.einsum("ni,nij,nj->n", off, np.linalg.inv(paths.cov_enu_m2[rows]), off)
    return scores, float((squared <= CE90).mean())


def idf1(recording, number):
    return 100 * evaluate(*together(recording, number)).idf1


def compared(title, recording, embedders, worth=LEAST_WORTH):
    """The rows of one situation."""
    owner, basis_s = ideal(recording), None
    most = idf1(recording, owner)
    print(f"\n{title}   most {most:.1f}, alone {idf1(recording, alone(recording)):.1f}")
    print(f"{'':24s}{'IDF1':>7s}{'ground':>8s}{'median':>8s}{'p90':>7s}{'CE90':>7s}{'ids':>5s}")
    for embedder in embedders:
        sightings = sighted(recording, embedder, worth)
        began = time.process_time()
        found = Ground(views=recording.views).identify(sightings)
        cpu_s = time.process_time() - began
        basis_s = basis_s or cpu_s
        scores, covered = on_the_ground(recording, sightings, found, owner)
        rate = recording.plan.n_frames * len(recording.views) / cpu_s
        print(
            f"ground,  {embedder or 'no looks':15s}{idf1(recording, found.number):7.1f}{100 * scores.idf1:8.1f}"
            f"{scores.median_m:8.2f}{scores.p90_m:7.2f}{100 * covered:7.1f}{found.number.max():5d}"
            f"   {rate:.0f} per CPU second, {cpu_s / basis_s:.2f}",
            flush=True,
        )
    for embedder in embedders:
        sightings = sighted(recording, embedder, worth)
        gallery = Gallery(threshold=THRESHOLDS.get(embedder, 0.65))
        number = online(sightings, gallery, recording.plan.fps)
        print(f"gallery, {embedder or 'no looks':15s}{idf1(recording, number):7.1f}{number.max():36d}", flush=True)


def part(recording, names):
    """Some of the cameras."""
    return Recording(
        recording.plan,
        {name: recording.views[name] for name in names},
        {name: recording.watched[name] for name in names},
    )


def changed(recording, name, *, keep=None, late_s=0.0, moved_m=(0.0, 0.0)):
    """The same with one camera that lacks pictures, has another clock, or stands elsewhere than is said."""
    one, view = recording.watched[name], recording.views[name]
    rows = np.ones(len(one.tracks), bool) if keep is None else keep(one.tracks.frame_index)
    tracks = one.tracks.rows(rows)
    looks = {key: look[rows] for key, look in one.looks.items()}
    shift = np.array([[1, 0, moved_m[0]], [0, 1, moved_m[1]], [0, 0, 1]])
    view = View(name, view.width, view.height, view.px_from_enu @ shift)
    other = Watched(replace(tracks, t_s=tracks.t_s + late_s), looks, one.truth)
    return Recording(recording.plan, recording.views | {name: view}, recording.watched | {name: other})


def more(recording, embedders):
    """Whether it holds elsewhere; numbers as above."""
    rng, every = np.random.default_rng(0), recording
    gaps, dark, some = recording, recording, recording
    for name in recording.views:
        whole = rng.random(recording.plan.n_frames) >= 0.2
        gaps = changed(gaps, name, keep=lambda index, whole=whole: whole[index])
    dark = changed(dark, "cam1", keep=lambda index: (index < 300) | (index >= 450))
    some = changed(changed(some, "cam2", keep=lambda index: index % 5 == 0), "cam3", keep=lambda index: index % 2 == 0)
    off = recording
    for name in recording.views:
        off = changed(off, name, moved_m=rng.normal(0, 0.3, 2))
    situations = {
        "one camera": part(every, ["cam1"]),
        "two that overlap": part(every, ["cam1", "cam2"]),
        "three that stand apart": part(every, ["cam2", "cam3", "cam4"]),
        "a fifth of the pictures missing": gaps,
        "cam1 dark for 30 s": dark,
        "cam2 at 1 and cam3 at 2.5 pictures a second": some,
        "cam2 late by 0.5 s": changed(every, "cam2", late_s=0.5),
        "all cameras off by 0.3 m east and north": off,
    }
    for title, other in situations.items():
        compared(title, other, embedders)
    compared("looks at any box, however little it shows", every, embedders, worth=0.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--boxes", default="good")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "sightline-bench" / "site")
    given = parser.parse_args()
    cameras, embedders = ("cam1", "cam2", "cam3", "cam4"), [None, *EMBEDDERS]
    for seed in map(int, given.seeds.split(",")):
        for boxes in given.boxes.split(","):
            worths = (LEAST_WORTH, 0.0) if given.more else (LEAST_WORTH,)
            recording = recorded(plan(seed), cameras, boxes, given.folder, worths)
            compared(f"seed {seed}, {boxes} boxes", recording, embedders)
            if given.more:
                more(recording, [None, "colour", "onnx 0287"])


def plan(seed):
    return simulation.Plan(seed=seed, n_people=20, n_cameras=6, duration_s=180.0, fps=5.0, size=(640, 360))


if __name__ == "__main__":
    main()
