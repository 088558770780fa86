"""The track of telemetry inside MP4 files of newer DJI aircraft: position and gimbal for every picture.

Each sample is a message in the wire format of protocol buffers (public specification); which field is which is a
matter of observation, as published in ExifTool's documentation of DJI tags. Models that lack a field leave it out.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import av
import numpy as np

from sightline.errors import FormatError, SourceError
from sightline.flight_logs.clock import read_clock
from sightline.flight_logs.draft import Draft, any_finite
from sightline.model.flight import Flight

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
_DRONE, _GIMBAL, _GPS = (3, 3, 3), (3, 4, 3), (3, 3, 4, 1)
_SEA, _TAKEOFF, _CLOCK = (3, 3, 4, 2), (3, 3, 5, 1), (3, 3, 4, 6, 1)

Fields = dict[int, Any]


@final
class Djmd:
    """One MP4 file with such a track; its seconds are the video's own."""

    def read(self, path: Path) -> Flight:
        """The flight in the track.

        Raises:
            FormatError: there is no such track in the file.
            SourceError: it is no video, or cannot be read.
        """
        rows, texts = [], []
        for t_s, data in samples(path):
            message = fields(data)
            row = _row(message)
            if row:
                rows.append(row | {"t": t_s})
                word = _at(message, _CLOCK)
                texts.append(word.decode("utf-8", "replace") if isinstance(word, bytes) else "")
        if not rows:
            raise FormatError(f"{path}: there is no track of DJI telemetry (djmd) in it; give the flight's log too")
        columns = {name: np.array([row.get(name, np.nan) for row in rows], float) for name in _NAMES}
        clock = read_clock(texts)
        moment = clock.utc_ns(0, "UTC")
        said = [] if any_finite(columns["pitch"]) else ["the track holds no angles of the gimbal"]
        return Draft(
            path=path,
            log="DJI video track (djmd)",
            t_s=columns["t"],
            is_video_time=True,
            utc_ns=None if moment is None else moment - round(columns["t"][0] * 1e9),
            lat_deg=columns["lat"],
            lon_deg=columns["lon"],
            height_takeoff_m=columns["takeoff"],
            height_sea_m=columns["sea"],
            aircraft_deg=(columns["drone_yaw"], columns["drone_pitch"], columns["drone_roll"]),
            gimbal_deg=(columns["yaw"], columns["pitch"], columns["roll"]),
            warnings=tuple(said),
        ).flight()


_NAMES = ("t", "lat", "lon", "takeoff", "sea", "drone_yaw", "drone_pitch", "drone_roll", "yaw", "pitch", "roll")


def samples(path: Path) -> Iterator[tuple[float, bytes]]:
    """Samples of all data tracks of a video and their seconds after its first picture.

    Raises:
        SourceError: it is no video, or cannot be read.
    """
    try:
        with av.open(str(path)) as container:
            videos = container.streams.video
            starts = [
                s.start_time * s.time_base for s in videos if s.start_time is not None and s.time_base is not None
            ]
            first_s = float(min(starts, default=0))
            for packet in container.demux(container.streams.data):
                if packet.size and packet.pts is not None and packet.time_base is not None:
                    yield float(packet.pts * packet.time_base) - first_s, bytes(packet)
    except (av.error.FFmpegError, ValueError) as error:
        raise SourceError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def fields(message: bytes) -> Fields:
    """Numbers of fields to numbers or bytes, the last of each; empty for what is no such message."""
    found: Fields = {}
    at = 0
    try:
        while at < len(message):
            key, at = _varint(message, at)
            number, kind = key >> 3, key & 7
            if kind == _VARINT:
                value, at = _varint(message, at)
                found[number] = value - (1 << 64) if value >> 63 else value
            elif kind == _DOUBLE:
                (found[number],), at = struct.unpack_from("<d", message, at), at + 8
            elif kind == _FLOAT:
                (found[number],), at = struct.unpack_from("<f", message, at), at + 4
            elif kind == _BYTES:
                size, at = _varint(message, at)
                if at + size > len(message):
                    return {}
                found[number], at = message[at : at + size], at + size
            else:
                return {}
    except (IndexError, struct.error):
        return {}
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """One number in seven bits each, and where the next thing begins.

    Raises:
        IndexError: the message ends within it.
    """
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 or shift > 63:
            return value & (2**64 - 1), at


def _at(message: Fields, path: tuple[int, ...]) -> Any:
    """The field at a path; None where there is none."""
    for number in path[:-1]:
        inner = message.get(number)
        if not isinstance(inner, bytes):
            return None
        message = fields(inner)
    return message.get(path[-1])


def _row(message: Fields) -> dict[str, float]:
    """What one sample says; nothing for a sample of another kind of track."""
    row: dict[str, float] = {}
    gps, drone, gimbal = (fields(found) if isinstance(found := _at(message, p), bytes) else {} for p in _GROUPS)
    if isinstance(gps.get(2), float) and isinstance(gps.get(3), float):
        to_deg = 1.0 if gps.get(1) == 1 else 180 / np.pi  # a zero is left out on the wire, and 0 means radians
        row |= {"lat": gps[2] * to_deg, "lon": gps[3] * to_deg}
    if drone:
        row |= {f"drone_{name}": float(drone.get(k, 0)) / 10 for name, k in (("roll", 1), ("pitch", 2), ("yaw", 3))}
    if gimbal:
        row |= {name: float(gimbal.get(k, 0)) / 10 for name, k in (("pitch", 1), ("roll", 2), ("yaw", 3))}
    for name, path in (("sea", _SEA), ("takeoff", _TAKEOFF)):
        value = _at(message, path)
        if isinstance(value, int | float):
            row[name] = value / 1000
    return row


_GROUPS = (_GPS, _DRONE, _GIMBAL)
