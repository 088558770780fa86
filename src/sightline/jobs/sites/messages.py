"""What is told of a site while it is watched, in the shape that clients of the service know."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any, Literal
from uuid import UUID, uuid5

import numpy as np
import orjson
from jaxtyping import Float

from sightline.jobs.sites.naming import Counts, homes
from sightline.jobs.sites.recognizing import Person
from sightline.model.tracks import Tracks

Status = Literal["QUEUED", "INITIALIZING", "DOWNLOADING_DATA", "PROCESSING", "COMPLETED", "FAILED"]
Playback = Literal["playing", "paused", "stopped"]
PERSON = 1
"""The class of everybody, as clients know it."""
NOW = "now"
"""Key of the newest ``tracking_update``, kept for who comes late; all of them are also said without a key."""
STATUS = "status"
_IS_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Key of ``status_update``."""
_MOST = 10_000
"""Numbers that are tried: so many were hardly ever said in one task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a task is."""

    status: Status
    """In one word."""
    progress: float
    """From 0 to 1."""
    current_step: str
    """What is being done, for people."""
    details: str | None
    """Why it failed, or what was left out."""
    start_time: str | None
    """When it began, ISO 8601 in UTC."""
    last_update_time: str
    """When this was so."""
    environment_id: str
    """Id of the site."""
    total_sub_video_batches: int
    """Into how many parts the recordings are cut."""
    completed_sub_video_batches: int
    """How many are done."""
    total_frames_estimate: int
    """Moments in all of them, about."""
    processed_frames_count: int
    """Moments done."""
    playback: Playback
    """Whether it goes on, stands still, or is not under way."""


def channel(task_id: str) -> str:
    """Where all is said of a task."""
    return f"tracking/{task_id}"


def pictures(task_id: str) -> str:
    """Where pictures are shown that somebody looks at: keys are ``camera`` and ``camera/boxes``."""
    return f"pictures/{task_id}"


def waiting(*, has_images: bool) -> int:
    """How many messages may wait for somebody slow: ten seconds of them, or a second of those that hold pictures."""
    return 24 if has_images else 256


def moment(utc_s: float) -> str:
    """A time, as clients read it."""
    return datetime.fromtimestamp(utc_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def identity(task_id: str, number: int) -> str | None:
    """What an identity of a task is called for good; None: nobody's."""
    return None if number < 1 else str(uuid5(UUID(task_id), str(number)))


def numbers(task_id: str, identities: Collection[str]) -> dict[str, int]:
    """Which numbers of a task some identities have; those that are not of its first ten thousand are left out."""
    wanted = {_digits(UUID(one).bytes): one for one in identities if _IS_UUID.fullmatch(one)}
    found: dict[str, int] = {}
    space = UUID(task_id).bytes
    for number in range(1, _MOST + 1) if wanted else ():
        name = wanted.get(_digits(sha1(space + str(number).encode(), usedforsecurity=False).digest()))
        if name is not None and name == identity(task_id, number):
            found[name] = number
    return found


def _digits(digest: bytes) -> bytes:
    """Those that UUIDs take over from a digest as they are (RFC 9562, section 5.5)."""
    return digest[:6] + digest[9:16]


def status_update(standing: Standing) -> bytes:
    """How far it is."""
    return wrapped("status_update", asdict(standing))


def tracking_update(index: int, site_id: str, utc_s: float, cameras: Mapping[str, Any]) -> bytes:
    """What all cameras see at one moment; ``cameras`` as ``camera`` makes them, all of the site."""
    payload = {
        "frame_index": index,
        "global_frame_index": index,
        "scene_id": site_id,
        "timestamp_processed_utc": moment(utc_s),
        "cameras": cameras,
    }
    return wrapped("tracking_update", payload)


def camera(
    index: int,
    tracks: Tracks | None = None,
    xy_map: Float[np.ndarray, "n 2"] | None = None,
    names: Sequence[str | None] = (),
) -> dict[str, Any]:
    """What one camera sees; nothing where it has no picture. NaN on the map is null."""
    said: dict[str, Any] = {"image_source": f"{index:06d}.jpg", "tracks": []}
    if tracks is not None and xy_map is not None:
        places: list[list[float] | None] = xy_map.round(3).tolist()
        on_map = np.isfinite(xy_map).all(axis=1).tolist()
        columns = (tracks.number.tolist(), names, tracks.xyxy_px.round(2).tolist(), tracks.score.round(4).tolist())
        said["tracks"] = [
            {
                "track_id": number,
                "global_id": name,
                "bbox_xyxy": box,
                "confidence": score,
                "class_id": PERSON,
                "map_coords": place if is_there else None,
            }
            for number, name, box, score, place, is_there in zip(*columns, places, on_map, strict=True)
        ]
    return said


def named(said: Mapping[str, Any], numbers: Sequence[int], known: Mapping[int, Person]) -> dict[str, Any]:
    """What one camera sees, with id and name of those known; ``numbers`` are the identities of its tracks."""
    people = [known.get(number) for number in numbers]
    tracks = [
        one if person is None else {**one, "person_id": person.id, "name": person.name}
        for one, person in zip(said["tracks"], people, strict=True)
    ]
    return {**said, "tracks": tracks}


def on_earth(said: Mapping[str, Any], lat_deg: Float[np.ndarray, " n"], lon_deg: Float[np.ndarray, " n"]) -> None:
    """Adds to what one camera sees where on earth that is, ``lat_lon`` in degrees of WGS84; null for NaN."""
    places = np.column_stack([lat_deg, lon_deg]).round(8)
    for one, place, is_there in zip(said["tracks"], places.tolist(), np.isfinite(lat_deg).tolist(), strict=True):
        one["lat_lon"] = place if is_there else None


def identities_refined(counts: Counts, task_id: str) -> bytes:
    """Who turned out to be who: of every name given at once, the one it became for most of its sightings."""
    mapping = {str(identity(task_id, said)): identity(task_id, settled) for said, settled, _ in homes(counts).tolist()}
    return wrapped("identities_refined", {"mapping": mapping})


def wrapped(kind: str, payload: Mapping[str, Any]) -> bytes:
    """A message, encoded."""
    return orjson.dumps({"type": kind, "payload": payload})
