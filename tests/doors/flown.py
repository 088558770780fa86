"""A made-up flight as files: a small video, a log as DJI's tools write it, a tracker's tracks, the truth."""

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from sightline.geodesy.attitude import enu_from_cam
from sightline.geodesy.enu import enu_from_wgs84
from sightline.geometry.camera import intrinsics
from sightline.model.lens import Lens
from sightline.model.scene import MadeBy, Maps, Scene, Views
from sightline.simulation.flight.faults import Faults, faulty
from sightline.simulation.flight.logs import write
from sightline.simulation.flight.paths import ORIGIN, FlightPlan
from sightline.simulation.flight.things import Seen, paths, seen

FOV_DEG = 71.5
LENS = Lens.pinhole(1280, 720, intrinsics(1280, 720, np.deg2rad(FOV_DEG)))
FPS = 5.0


@dataclass
class Flown:
    """Where the files are, and what is true."""

    folder: Path
    plan: FlightPlan
    truth: Seen
    video: Path
    log: Path
    tracks: Path

    def true_enu_m(self, frame, number):
        """Where a track truly was in a picture."""
        rows = (self.truth.tracks.frame_index == frame) & (self.truth.tracks.number == number)
        return self.truth.xyz_enu_m[np.flatnonzero(rows)[0]]

    def errors_m(self, entries):
        """How far entries of an answer are from the truth, over the ground."""
        lat, lon = (np.array([one[name] for one in entries]) for name in ("lat", "lon"))
        found = enu_from_wgs84(ORIGIN, lat, lon, np.full(len(lat), ORIGIN.height_m))
        true = np.array([self.true_enu_m(one["frame_id"], one["track_id"]) for one in entries])
        return np.hypot(*(found - true)[:, :2].T)


def video(path, duration_s, size=(320, 180), fps=10):
    """Still pictures of noise; nothing in them is looked at when tracks are given."""
    picture = np.random.default_rng(0).integers(0, 255, (size[1] // 20, size[0] // 20, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(picture.repeat(20, 0).repeat(20, 1), format="rgb24")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for k in range(round(duration_s * fps)):
            frame.pts, frame.time_base = k, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def flown(folder, dialect="flight_reader", faults=None, n=6, path="line"):
    """Writes all of it; 12 seconds of video in a log of 20."""
    plan = FlightPlan(path, duration_s=20.0, recorded_s=(4.0, 16.0))
    log = plan.log()
    log = log if faults is None else faulty(log, faults, np.random.default_rng(0))
    write(folder / "log.csv", log, dialect)
    times = np.arange(round(12 * FPS)) / FPS
    truth = seen(plan, LENS, paths(n, plan, np.random.default_rng(1)), times)
    truth = replace(truth, tracks=replace(truth.tracks, classes=("car",)))
    tracking(folder / "tracks.json", truth)
    return Flown(folder, plan, truth, video(folder / "flight.mp4", 12.0), folder / "log.csv", folder / "tracks.json")


def scene_of(plan, unit_m=10.0):
    """What a perfect network would say of a picture every two seconds over level ground, in a unit of its own."""
    small = Lens.pinhole(64, 36, intrinsics(64, 36, np.deg2rad(FOV_DEG)))
    t_s = np.arange(0, 12, 2.0) + plan.recorded_s[0]
    yaw, level = plan.yaw_rad(t_s), np.zeros(len(t_s))
    turn = enu_from_cam(yaw, np.full(len(t_s), plan.pitch_rad), level)
    x, y = np.meshgrid(np.arange(64) + 0.5, np.arange(36) + 0.5)
    flat = (np.stack([x, y], axis=-1) - small.centre_px) / small.focal_px
    rays = np.concatenate([flat, np.ones((36, 64, 1))], axis=-1)
    eye = plan.eye_enu_m(t_s)
    depth = -eye[:, 2, None, None] / np.einsum("kj,vwj->kvw", turn[:, 2], rays)
    cam_from_scene = np.tile(np.eye(4), (len(t_s), 1, 1))
    cam_from_scene[:, :3, :3] = turn.transpose(0, 2, 1)
    cam_from_scene[:, :3, 3] = -np.einsum("kji,kj->ki", turn, eye) / unit_m
    names = tuple(f"frame_{number:06d}.jpg" for number in range(0, 120, 20))  # at 10 pictures per second
    return Scene(
        (small,),
        Views(names, np.zeros(len(t_s), np.int64), cam_from_scene, np.ones(len(t_s), bool)),
        MadeBy("perfect", "0"),
        tuple(Maps(small, depth=(one / unit_m).astype(np.float32)) for one in depth),
    )


def tracking(path, truth):
    """The truth as the documents' tracker would have written it: boxes in 1280 x 720."""
    rows = truth.tracks
    entries = [
        {
            "frame_id": frame,
            "track_id": number,
            "bbox": box,
            "confidence": 0.9,
            "class_name": "car",
            "colour": {"name": "red", "sure": None},
        }
        for frame, number, box in zip(
            rows.frame_index.tolist(), rows.number.tolist(), rows.xyxy_px.tolist(), strict=True
        )
    ]
    entries[0]["confidence"] = None  # as trackers write of boxes that they filled in
    path.write_text(json.dumps({"tracks": entries}))


GIMBAL_OFF = Faults(yaw_constant_rad=np.deg2rad(-165.0), blip=True, zeroes=5)
