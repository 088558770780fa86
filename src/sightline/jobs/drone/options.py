"""What may be asked for: the same on the command line, of the service, and of a job."""

from dataclasses import fields
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from sightline.estimation.constant_velocity import Noise
from sightline.formats.elevation import Elevations
from sightline.jobs.kinds.kind import Params
from sightline.locators.doubts import CONSUMER, Doubts
from sightline.locators.ground import Anchor
from sightline.locators.pointing import Rule, YawSource
from sightline.model.lens import Lens, LensModel
from sightline.pipeline.drone import Wishes

ANSWER = "positions.json"
"""What the file is called that the service answers with."""
_ANGLES = {"yaw_deg": "yaw_rad", "pitch_deg": "pitch_rad", "roll_deg": "roll_rad"}
"""Doubts that callers give in degrees."""
UNKNOWN_FOCAL = 0.1
"""Doubt of a focal length that nobody told, as a share of it: those of drones' cameras differ by so much."""


def lens_from(text: str) -> Lens:
    """The lens of a text ``MODEL WIDTH HEIGHT PARAMS``.

    Raises:
        ValueError: it is none; says what was expected.
    """
    name, *words = text.split() or [""]
    if name not in {*LensModel}:
        raise ValueError(f"no lens model {name[:40]!r}; there are: {', '.join(LensModel)}")
    try:
        width, height, *params = map(float, words)
    except ValueError:
        raise ValueError("expected MODEL WIDTH HEIGHT and the model's numbers, apart by blanks") from None
    if not (width >= 1 and height >= 1 and np.isfinite(params).all() and params and params[0] > 0):
        raise ValueError("a size and a focal length must be above 0, and all numbers finite")
    return Lens(LensModel(name), int(width), int(height), np.array(params))


class Resolution(BaseModel):
    """A picture's size."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    width: Annotated[int, Field(ge=1, le=65535)]
    """Pixels across."""
    height: Annotated[int, Field(ge=1, le=65535)]
    """Pixels down."""


class DroneOptions(Params):
    """How places are found. All of it has a default, and what the log tells is not asked for."""

    fps: Annotated[float | None, Field(gt=0, le=1000)] = None
    """Pictures per second that tracks count by, where they tell no times; null: the video's own.

    Without tracks, how many are watched, at least 10.
    """
    tracking_fps: Annotated[float | None, Field(gt=0, le=1000)] = None
    """The same where it is another than ``fps``; goes before all that the tracks say."""
    source_resolution: Resolution | None = None
    """Size of the pictures that boxes are in; null: as the tracks say, or as they show."""
    time_offset: Annotated[float, Field(ge=-86400, le=86400)] | Literal["auto"] = 0.0
    """Seconds to add to the video's so that they meet the log's; ``auto``: found from the pictures."""
    recording: Annotated[int | None, Field(ge=1)] = None
    """Which recording of the log the video is, from 1; null: found by length, time and place."""
    timezone: Annotated[str | None, Field(max_length=64)] = None
    """Of the log's local clock, such as Europe/London."""
    altitude_is: Literal["takeoff", "sea"] | None = None
    """What ``[altitude: ]`` in subtitles counts from."""
    yaw_source: YawSource = "auto"
    """``auto``: the gimbal's yaw without its constant; ``gimbal``, ``aircraft`` as logged; ``sum``: both added."""
    add_drone_yaw: bool = False
    """As ``yaw_source`` sum."""
    use_osd_yaw: bool = False
    """As ``yaw_source`` aircraft; goes before ``add_drone_yaw``."""
    yaw_offset: Annotated[float, Field(ge=-360, le=360)] = 0.0
    """Degrees added to the camera's yaw."""
    magnetic_declination: Annotated[float, Field(ge=-180, le=180)] | Literal["auto"] = 0.0
    """Degrees added too, east positive; ``auto``: looked up. DJI's logs need none."""
    yaw_deg: Annotated[float | None, Field(ge=-360, le=360)] = None
    """The camera's yaw, where the log has none."""
    pitch_deg: Annotated[float | None, Field(ge=-90, le=90)] = None
    """The camera's pitch, where the log has none; straight down is -90."""
    lens: Annotated[str | None, Field(max_length=400)] = None
    """The calibrated lens as COLMAP writes it: ``OPENCV 1920 1080 FX FY CX CY K1 K2 P1 P2``; goes before the rest."""
    fov_deg: Annotated[float | None, Field(ge=1, le=170)] = None
    """Angle of view from left edge to right."""
    focal_35mm: Annotated[float | None, Field(ge=5, le=1000)] = None
    """Equivalent focal length instead."""
    camera: Annotated[str | None, Field(min_length=1, max_length=80)] = None
    """The camera's name instead, such as ``Mavic 3E``."""
    crop: Annotated[float, Field(ge=1, le=10)] = 1.0
    """How much narrower the video sees than the lens does: steadied and cropped modes."""
    assume_lens: bool = False
    """Whether a lens that nobody tells is taken as a drone's usual one (24 mm), with a tenth of doubt."""
    anchor: Anchor = "base"
    """Where things stand in their boxes: ``base`` by the angle, ``foot`` the lower edge, ``centre`` the middle."""
    ground_m: Annotated[float, Field(ge=-1000, le=1000)] = 0.0
    """Height of level ground above the take-off, metres."""
    ground_sea_m: Annotated[float | None, Field(ge=-500, le=9000)] = None
    """Height of the take-off above the sea, for logs with heights above the sea only."""
    doubts: dict[str, Annotated[float, Field(ge=0, le=1000)]] = Field(default_factory=dict)
    """Standard deviations: gps_m, height_m, ground_m, yaw_deg, pitch_deg, roll_deg, box_px, focal, time_s."""
    kf_sigma_a: Annotated[float, Field(gt=0, le=1000)] = 0.5
    """Of the filter: accelerations, metres per second squared."""
    kf_sigma_meas_h: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """Of the filter: measured places, metres."""
    kf_sigma_meas_v: Annotated[float, Field(gt=0, le=1000)] = 2.0
    """Of the filter: measured heights, metres."""
    kf_learn: bool = False
    """Whether these three are learnt from the paths instead; speeds come out better."""
    smooth: bool = True
    """Whether each row knows the whole path of its track; false: the forward filter alone."""
    include_aircraft: bool = False
    """Whether the aircraft itself is among the entries, as track 0."""
    ignored: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    """Names of what a client sent besides, which nothing here takes; told in the warnings."""
    null_heading: bool = False
    """Whether the heading of what hardly moves is null; else it is whichever way the little that it moves is."""

    @field_validator("lens")
    @classmethod
    def _is_lens(cls, value: str | None) -> str | None:
        """Only what is a lens."""
        if value is not None:
            lens_from(value)
        return value

    @field_validator("doubts")
    @classmethod
    def _known(cls, value: dict[str, float]) -> dict[str, float]:
        """Only doubts that there are."""
        known = [_DEGREES.get(field.name, field.name) for field in fields(Doubts)]
        for name in value:
            if name not in known:
                raise ValueError(f"there is no doubt {name[:40]!r}; there are: {', '.join(known)}")
        return value

    def wishes(self, *, elevations: Elevations | None, is_lens_known: bool) -> Wishes:
        """The same for the recipe; ``time_offset`` auto is 0 there, until somebody has looked."""
        told = {_ANGLES.get(n, n): float(np.deg2rad(v)) if n in _ANGLES else v for n, v in self.doubts.items()}
        focal = {} if is_lens_known else {"focal": UNKNOWN_FOCAL}
        values = {field.name: getattr(CONSUMER, field.name) for field in fields(Doubts)}
        return Wishes(
            recording=self.recording,
            time_offset_s=0.0 if self.time_offset == "auto" else self.time_offset,
            rule=Rule(
                self.yaw_source,
                self.add_drone_yaw,
                self.use_osd_yaw,
                self.yaw_offset,
                self.magnetic_declination,
                self.yaw_deg,
                self.pitch_deg,
            ),
            anchor=self.anchor,
            ground_m=self.ground_m,
            elevations=elevations,
            ground_sea_m=self.ground_sea_m,
            doubts=Doubts(**{**values, **focal, **told}),
            noise=None if self.kf_learn else Noise(self.kf_sigma_a, self.kf_sigma_meas_h, self.kf_sigma_meas_v),
            smooth=self.smooth,
        )


_DEGREES = {radians: degrees for degrees, radians in _ANGLES.items()}
