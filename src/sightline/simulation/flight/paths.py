"""Ways that a drone flies: where it was and which way it looked, exactly, at any time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from sightline.geodesy.attitude import wrapped
from sightline.geodesy.enu import wgs84_from_enu
from sightline.model.flight import Angles, Flight, GimbalMode
from sightline.model.positions import Origin

Times = Float[np.ndarray, " t"]
ORIGIN = Origin(51.476322, -3.189584, 62.0)
"""Where flights take off unless told otherwise."""
SEA_BELOW_ELLIPSOID_M = -50.0
"""How much less the height above the sea is there: about what the geoid is."""


@dataclass(frozen=True, slots=True)
class FlightPlan:
    """One flight. All of it follows from this."""

    path: Literal["hover", "line", "orbit", "climb"] = "line"
    """Staying, straight on, round a point, or straight up."""
    height_m: float = 60.0
    """Above take-off; a climb ends there and begins at half of it."""
    pitch_rad: float = -np.pi / 4
    """Of the camera."""
    speed_mps: float = 5.0
    """Over the ground."""
    duration_s: float = 40.0
    """Of the log."""
    recorded_s: tuple[float, float] = (8.0, 36.0)
    """When the video began and ended, on the log's clock."""
    heading_rad: float = 1.0
    """Where it flies to, or looks at first."""

    def eye_enu_m(self, t_s: Times) -> Float[np.ndarray, "t 3"]:
        """Where the camera was."""
        ahead = np.array([np.sin(self.heading_rad), np.cos(self.heading_rad)])
        up = np.full(len(t_s), self.height_m)
        if self.path == "line":
            xy = np.outer(self.speed_mps * (t_s - self.duration_s / 2), ahead)
        elif self.path == "orbit":
            angle = self._angle_rad(t_s)
            xy = self._radius_m() * np.stack([np.sin(angle), np.cos(angle)], axis=1)
        else:
            xy = np.zeros((len(t_s), 2))
        if self.path == "climb":
            up = self.height_m * (0.5 + 0.5 * t_s / self.duration_s)
        return np.column_stack([xy, up])

    def yaw_rad(self, t_s: Times) -> Times:
        """Which way aircraft and camera pointed."""
        sway = 0.008 * np.sin(0.9 * t_s) + 0.005 * np.sin(1.7 * t_s + 1)  # nothing that flies keeps quite still
        if self.path == "orbit":
            return wrapped(self._angle_rad(t_s) + np.pi + sway)
        turn = 0.3 * np.sin(2 * np.pi * t_s / 25) if self.path == "hover" else 0.0
        return wrapped(self.heading_rad + turn + sway)

    def log(self, rate_hz: float = 10.0, origin: Origin = ORIGIN) -> Flight:
        """What a log without fault says of it, a row every 1/rate seconds."""
        t_s = np.arange(round(self.duration_s * rate_hz) + 1) / rate_hz
        eye = self.eye_enu_m(t_s)
        step = 1e-3
        velocity = (self.eye_enu_m(t_s + step) - self.eye_enu_m(t_s - step)) / (2 * step)
        lat, lon, height = wgs84_from_enu(origin, eye)
        yaw, level, nothing = self.yaw_rad(t_s), np.zeros(len(t_s)), np.full(len(t_s), np.nan)
        return Flight(
            log="simulated",
            t_s=t_s,
            is_video_time=False,
            utc_ns=1_779_009_571_701_000_000,
            lat_deg=lat,
            lon_deg=lon,
            height_takeoff_m=height - origin.height_m,
            height_sea_m=height + SEA_BELOW_ELLIPSOID_M,
            height_ellipsoid_m=height,
            height_ground_m=nothing,
            aircraft=Angles(yaw, level, level),
            gimbal=Angles(yaw, np.full(len(t_s), self.pitch_rad), level),
            gimbal_mode=np.full(len(t_s), int(GimbalMode.FOLLOW)),
            velocity_enu_mps=velocity,
            is_recording=((t_s >= self.recorded_s[0]) & (t_s < self.recorded_s[1])).astype(np.int64),
            focal_35mm=nothing,
            home=origin,
        )

    def _radius_m(self) -> float:
        """So that the camera looks at the middle, within reason."""
        return float(np.clip(self.height_m / np.tan(max(-self.pitch_rad, 0.3)), 20.0, 80.0))

    def _angle_rad(self, t_s: Times) -> Times:
        """How far round it has come."""
        return self.heading_rad + self.speed_mps / self._radius_m() * t_s
