"""Logs of PX4 flight controllers (``.ulg``)."""

import struct
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float
from pyulog import ULog

from sightline.errors import FormatError
from sightline.flight_logs.draft import Draft, home_at
from sightline.flight_logs.gimbal import is_against_north
from sightline.flight_logs.turning import angles_at
from sightline.geodesy.attitude import from_quaternion
from sightline.model.flight import Flight
from sightline.model.positions import Origin

Column = Float[np.ndarray, " n"]
_MAGIC = b"ULog\x01\x12\x35"
_TOPICS = [
    "vehicle_global_position", "vehicle_attitude", "vehicle_local_position", "vehicle_gps_position", "home_position",
    "gimbal_device_attitude_status",
]  # fmt: skip


@final
class Ulog:
    """One log; its rows are those of the estimated position."""

    def read(self, path: Path) -> Flight:
        """The flight in the log.

        Raises:
            FormatError: it is no such log, or holds no position.
            OSError: it cannot be read.
        """
        topics, damage = _topics(path)
        if "vehicle_global_position" not in topics:
            raise FormatError(f"{path}: the log holds no vehicle_global_position; the aircraft had no position")
        place = topics["vehicle_global_position"]
        t_s = place["timestamp"] / 1e6
        home, said = _home(topics)
        sea = place["alt"].astype(float)
        aircraft = _attitude(topics.get("vehicle_attitude"), t_s)
        local = topics.get("vehicle_local_position")
        speeds = [None if local is None else _at(local, f"v{axis}", t_s) for axis in "xyz"]
        return Draft(
            path=path,
            log="PX4 log",
            t_s=t_s,
            utc_ns=_utc_ns(topics.get("vehicle_gps_position")),
            lat_deg=place["lat"].astype(float),
            lon_deg=place["lon"].astype(float),
            height_sea_m=sea,
            height_ellipsoid_m=place["alt_ellipsoid"].astype(float) if "alt_ellipsoid" in place else None,
            height_takeoff_m=None if home is None else sea - home.height_m,
            height_ground_m=_ground(local, t_s),
            aircraft_deg=aircraft,
            gimbal_deg=_gimbal(topics.get("gimbal_device_attitude_status"), aircraft, t_s),
            north_east_down_mps=(speeds[0], speeds[1], speeds[2]),
            home=home,
            warnings=(*damage, *said),
        ).flight()


def _topics(path: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What the log holds, by topic, of several instances the first; and what is to be said of it."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise FormatError(f"{path}: this is no PX4 log (.ulg)")
    complaints = StringIO()
    try:
        with redirect_stdout(complaints):  # where results go: nothing but ours may stand there
            found = ULog(str(path), _TOPICS, disable_str_exceptions=True).data_list
    except (struct.error, ValueError, TypeError, KeyError, IndexError) as error:
        raise FormatError(f"{path}: the log is damaged ({error})") from None
    said = ["the log is damaged in places"] if complaints.getvalue().strip() else []
    return {topic.name: topic.data for topic in reversed(found) if len(topic.data["timestamp"])}, said


def _at(topic: dict[str, Any], name: str, t_s: Column) -> Column | None:
    """A column of another topic at these times; NaN before its first row and after its last; None: no such column."""
    if name not in topic:
        return None
    return np.interp(t_s, topic["timestamp"] / 1e6, topic[name].astype(float), left=np.nan, right=np.nan)


def _attitude(topic: dict[str, Any] | None, t_s: Column) -> tuple[Column | None, Column | None, Column | None]:
    """Yaw, pitch, roll in degrees at these times."""
    if topic is None or "q[0]" not in topic:
        return None, None, None
    angles = from_quaternion(np.stack([topic[f"q[{k}]"].astype(float) for k in range(4)], axis=1))
    at_s = topic["timestamp"] / 1e6
    yaw, pitch, roll = (angles_at(t_s, at_s, angle) for angle in angles)
    return yaw, pitch, roll


def _gimbal(
    topic: dict[str, Any] | None, aircraft: tuple[Column | None, ...], t_s: Column
) -> tuple[Column | None, Column | None, Column | None]:
    """Yaw, pitch, roll of the camera against north; a yaw against the aircraft is added to its own."""
    yaw, pitch, roll = _attitude(topic, t_s)
    if topic is None or yaw is None or aircraft[0] is None:
        return yaw, pitch, roll
    earth = is_against_north(topic["device_flags"].astype(int))
    latest = (np.searchsorted(topic["timestamp"] / 1e6, t_s, side="right") - 1).clip(0)
    return np.where(earth[latest], yaw, yaw + aircraft[0]), pitch, roll


def _ground(local: dict[str, Any] | None, t_s: Column) -> Column | None:
    """Distance to the ground, where the sensor says that it is valid."""
    if local is None or "dist_bottom" not in local or "dist_bottom_valid" not in local:
        return None
    height, valid = _at(local, "dist_bottom", t_s), _at(local, "dist_bottom_valid", t_s)
    return None if height is None or valid is None else np.where(valid > 0.99, height, np.nan)


def _home(topics: dict[str, dict[str, Any]]) -> tuple[Origin | None, list[str]]:
    """Where it took off, as last set; the height is above the sea."""
    said = topics.get("home_position")
    at = None if said is None else [float(said[name][-1]) for name in ("lat", "lon", "alt")]
    home = None if at is None else home_at(*at)
    if home is None:
        return None, ["the log has no home position, so heights above take-off are unknown"]
    return home, []


def _utc_ns(gps: dict[str, Any] | None) -> int | None:
    """When the controller's own clock was 0."""
    if gps is None or "time_utc_usec" not in gps:
        return None
    known = np.flatnonzero(gps["time_utc_usec"] > 0)
    if not len(known):
        return None
    return int(gps["time_utc_usec"][known[0]] - gps["timestamp"][known[0]]) * 1000
