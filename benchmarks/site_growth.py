"""How identities grow: with people, cameras, and hours. No pictures: made-up walkers, seen by made-up cameras.

``python benchmarks/site_growth.py [--hours 1,8] [--only-hours] [--looks 0]``

People walk between places on 40 x 30 m, stay two minutes on the average, and are away for one. Cameras stand around
and see most of it, five times a second; 15 % are overlooked, places err by 4 % of the box, and the camera's own tracks
break every half a minute. Speed is pictures x cameras per second of CPU time of the identifier alone, one thread; its
ratio is to ten people and two cameras.

Memory is that of what ``sightline run`` and a task of the server do when all is watched: from the files of what was
seen, 23 times a second, to files of who it was and rows in SQLite. It is the largest resident size of a process that
does nothing else; another one made the day. Everybody is looked at twice a second, with as many numbers as ``colour``
has, or as ``--looks`` says.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sightline.geometry.camera import intrinsics
from sightline.geometry.homography import px_from_map
from sightline.geometry.rigid import looking_at
from sightline.geometry.warp import warped
from sightline.identifiers.gallery import Gallery
from sightline.identifiers.ground import Ground
from sightline.jobs.history.noting import note_run
from sightline.jobs.sites import running
from sightline.jobs.sites.rows import SeenFile
from sightline.jobs.sites.settling import settled
from sightline.locators.homography import Homography
from sightline.model.camera import Camera
from sightline.model.identities import Sightings
from sightline.model.site import Plane, Site, SiteMap, Watch
from sightline.model.tracks import Tracks
from sightline.model.view import View
from sightline.stores.sql.database import database_at
from sightline.stores.sql.history import History

FPS, SIZE_M, STAYS_S, AWAY_S, BREAKS_S = 5.0, np.array([40.0, 30.0]), 120.0, 60.0, 30.0
LOOK, LOOKED_AT = 108, 12
"""Numbers of a look, and at which of how many pictures one is taken."""


def walks(n_people, duration_s, rng):
    """Places (moment, person, 2), NaN while away; and the number of each visit."""
    n = round(duration_s * FPS)
    xy_m, visit = np.full((n, n_people, 2), np.nan, np.float32), np.zeros((n, n_people), np.int64)
    for who in range(n_people):
        t, count, place = -rng.uniform(0, STAYS_S), 0, rng.uniform(0, SIZE_M)
        while t < duration_s:
            stay = rng.exponential(STAYS_S) + 10
            while stay > 0 and t < duration_s:
                goal = rng.uniform(0, SIZE_M)
                leg = min(np.linalg.norm(goal - place) / rng.uniform(0.9, 1.5), stay) + 0.5
                first, last = (int(np.clip(np.ceil(x * FPS), 0, n)) for x in (t, t + leg))
                share = ((np.arange(first, last) / FPS - t) / leg)[:, None]
                xy_m[first:last, who] = place + share * (goal - place)
                visit[first:last, who] = count
                place, t, stay = goal, t + leg, stay - leg
            t, count = t + rng.exponential(AWAY_S) + 3, count + 1
    return xy_m, visit


def cameras(n):
    """Cameras in a ring, all of them turned to the middle."""
    angle = 2 * np.pi * (np.arange(n) + 0.5) / n
    eyes = SIZE_M / 2 + np.column_stack([np.cos(angle), np.sin(angle)]) * (SIZE_M / 2 + 3)
    return [
        Camera(f"cam{k}", 1280, 720, intrinsics(1280, 720, np.radians(80.0)),
               looking_at(np.array([*eye, 6.0]), np.array([*SIZE_M / 2, 0.0])))
        for k, eye in enumerate(eyes)
    ]  # fmt: skip


def sightings(n_people, n_cameras, duration_s, seed=0):
    """What identifiers are given, and how the cameras see the ground."""
    rng = np.random.default_rng(seed)
    xy_m, visit = walks(n_people, duration_s, rng)
    moment, who = np.nonzero(np.isfinite(xy_m[..., 0]))
    at, parts, views = xy_m[moment, who].astype(float), [], {}
    run = (visit[moment, who] * 1000 + (moment / FPS / BREAKS_S).astype(int)) * n_people + who
    for camera in cameras(n_cameras):
        view = View(camera.name, camera.width, camera.height, px_from_map(camera))
        foot, head = warped(view.px_from_enu, at), warped(px_from_map(camera, 1.75), at)
        tall = foot[:, 1] - head[:, 1]
        inside = (foot > 0).all(axis=1) & (foot < (1280, 720)).all(axis=1) & (tall > 20) & (rng.random(len(at)) > 0.15)
        foot, tall = foot[inside], tall[inside]
        foot = foot + rng.normal(0, 0.04, foot.shape) * np.column_stack([0.4 * tall, tall])
        boxes = np.column_stack([foot[:, 0] - 0.2 * tall, foot[:, 1] - tall, foot[:, 0] + 0.2 * tall, foot[:, 1]])
        index, zero = moment[inside], np.zeros(inside.sum(), np.int64)
        tracks = Tracks(camera.name, index, index / FPS, run[inside], boxes, np.ones(len(boxes)), zero, zero)
        locator = Homography(view=view)
        parts.append(Sightings.of(tracks, locator.locate(tracks), locator.whole(boxes), size_px=(1280, 720)))
        views[camera.name] = view
    return Sightings.joined(parts), views


def grown():
    print(f"{'':24s}{'ground':>18s}{'gallery':>18s}   pictures x cameras per CPU second")
    basis = None
    for n_people in (10, 20, 40, 80):
        for n_cameras in (2, 4, 8):
            seen, views = sightings(n_people, n_cameras, 60.0)
            pictures = 60 * FPS * n_cameras
            began = time.process_time()
            Ground(views=views).identify(seen)
            middle = time.process_time()
            Gallery().identify(seen)
            rates = pictures / (middle - began), pictures / (time.process_time() - middle)
            basis = basis or rates
            shown = "".join(f"{rate:10.0f} ({rate / first:4.2f})" for rate, first in zip(rates, basis, strict=True))
            print(f"{n_people:4d} people, {n_cameras} cameras   {shown}", flush=True)


def day(hours, folder, n_look):
    """What is left of a day when all is watched: 20 people who come for a minute and are away for two.

    The day is one hour again and again; at every hour everybody is somewhere else at once, under new tracks.
    """
    global FPS, STAYS_S, AWAY_S
    FPS, STAYS_S, AWAY_S = 23.0, 60.0, 120.0
    seen, _ = sightings(20, 4, 3600 * min(hours, 1.0))
    index = np.rint(seen.t_s * FPS).astype(int)
    order, first, rng = np.argsort(index, kind="stable"), folder / "seen-1.parquet", np.random.default_rng(0)
    faces = rng.normal(size=(20, n_look))
    with SeenFile(first, seen.cameras) as file:
        for here in np.split(order, np.flatnonzero(np.diff(index[order])) + 1):
            boxes, who = seen.xyxy_share[here] * np.array([1280, 720, 1280, 720]), seen.track[here] % 20
            look = faces[who] + rng.normal(size=(len(here), n_look))
            look[(index[here] + seen.track[here]) % LOOKED_AT > 0] = np.nan
            look /= np.linalg.norm(look, axis=1, keepdims=True)
            file.add(int(index[here[0]]), replace(seen.rows(here), look=look), who + 1, boxes, np.ones(len(here)))
    hour, n = pq.read_table(first), round(3600 * FPS)
    notes = pq.read_metadata(first).metadata
    for later in range(1, round(hours)):
        add = {"moment": n * later, "t_s": 3600.0 * later, "track": 10_000_000 * later}
        columns = {name: pc.add(hour[name], add[name]) if name in add else hour[name] for name in hour.column_names}
        kept = {b"moments": str(int(notes[b"moments"]) + n * later)}
        pq.write_table(
            pa.table(columns).replace_schema_metadata(kept), folder / f"seen-{later + 1}.parquet",
            row_group_size=4096, compression="zstd",
        )  # fmt: skip


def yard():
    """The site that the day is of."""
    watches = (
        Watch(camera.name, ("1.mp4",), plane=Plane(np.linalg.inv(px_from_map(camera))), size=(1280, 720))
        for camera in cameras(4)
    )
    return Site("yard", "The yard", SiteMap(1.0), tuple(watches))


def most_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def remembered(hours, folder):
    """One recording in this process, from the files of what was seen to files and rows of who it was."""
    seen = sorted(folder.glob("seen-*.parquet"), key=lambda path: int(path.stem.removeprefix("seen-")))
    site, before, began = yard(), most_mb(), time.process_time()
    sizes = {watch.id: watch.size for watch in site.watches}
    summary, _ = settled(site, seen, sizes, running.task_of(site, folder), folder)
    found, middle = most_mb(), time.process_time()
    engine = database_at(f"sqlite:///{folder / 'rows.db'}")
    note_run(engine, site, folder)
    kept = History(engine).counts()
    engine.dispose()
    print(
        f"{hours:5.2f} h  {summary['sightings']:10,d} sightings, {summary['identities']:5d} identities, "
        f"{kept['places']:9,d} places   {before:5.0f} MB before, {found:5.0f} MB settled, {most_mb():5.0f} MB noted   "
        f"{middle - began:6.0f} + {time.process_time() - middle:.0f} s of CPU",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", default="0.25,0.5")
    parser.add_argument("--only-hours", action="store_true", help="leave the growth with people and cameras out")
    parser.add_argument("--looks", type=int, default=LOOK, help="numbers of a look; 0: nobody is looked at")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        what, hours, folder = given.child
        if what == "day":
            day(float(hours), Path(folder), given.looks)
        else:
            remembered(float(hours), Path(folder))
        return
    if not given.only_hours:
        grown()
    print("\n20 people, 4 cameras, 23 pictures a second:", flush=True)
    for hours in given.hours.split(","):
        with TemporaryDirectory() as folder:
            for what in ("day", "remembered"):
                subprocess.run(
                    [sys.executable, __file__, "--looks", str(given.looks), "--child", what, hours, folder], check=True
                )


if __name__ == "__main__":
    main()
