"""Each engine is its port. Read by mypy, never run."""

from pathlib import Path

import numpy as np

from sightline.detectors.aerial import Aerial
from sightline.detectors.mot_file import MotFile
from sightline.detectors.motion import Motion
from sightline.detectors.onnx import Onnx
from sightline.detectors.people_hog import PeopleHog
from sightline.detectors.tiled import Tiled
from sightline.embedders.colour import Colour
from sightline.embedders.onnx import Onnx as OnnxEmbedder
from sightline.flight_logs.airdata import Airdata
from sightline.flight_logs.ardupilot import Ardupilot
from sightline.flight_logs.dji_csv import DjiCsv
from sightline.flight_logs.dji_srt import DjiSrt
from sightline.flight_logs.djmd import Djmd
from sightline.flight_logs.klv import Klv
from sightline.flight_logs.litchi import Litchi
from sightline.flight_logs.tlog import Tlog
from sightline.flight_logs.ulog import Ulog
from sightline.formats.coco import Coco
from sightline.formats.csv import Csv
from sightline.formats.mot import Mot
from sightline.formats.parquet import Parquet
from sightline.formats.tracking_json import TrackingJson
from sightline.identifiers.gallery import Gallery
from sightline.identifiers.ground import Ground
from sightline.locators.ground import Ground as OverGround
from sightline.locators.homography import Homography
from sightline.locators.pointing import Pointing
from sightline.model.flight import Flight
from sightline.model.lens import Lens
from sightline.model.view import View
from sightline.ports import (
    Detector,
    Embedder,
    FlightLog,
    Format,
    Identifier,
    Locator,
    Reconstructor,
    Source,
    Stabilizer,
    Tracker,
)
from sightline.reconstructors.da3 import Da3
from sightline.reconstructors.neural import Neural
from sightline.reconstructors.sfm import Sfm
from sightline.reconstructors.vggt import Vggt
from sightline.sources.images import Images
from sightline.sources.stream import Stream
from sightline.sources.video import Video
from sightline.stabilizers.flow import Flow
from sightline.trackers.botsort import BotSort
from sightline.trackers.bytetrack import ByteTrack
from sightline.trackers.ocsort import OcSort
from sightline.trackers.sort import Sort

sources: list[Source] = [Video(path=Path("a.mp4")), Images(pattern="a/*.png"), Stream(url="rtsp://127.0.0.1/a")]
stabilizers: list[Stabilizer] = [Flow()]
detectors: list[Detector] = [
    Motion(),
    Aerial(),
    PeopleHog(),
    Onnx(weights="a.onnx"),
    Tiled(weights="a.onnx"),
    MotFile(path=Path("det.txt")),
]
trackers: list[Tracker] = [Sort(), ByteTrack(), OcSort(), BotSort()]
reconstructors: list[Reconstructor] = [Sfm(), Vggt(), Da3(), Neural()]
formats: list[Format] = [Mot(), Csv(), Parquet(), Coco(), TrackingJson()]
flight_logs: list[FlightLog] = [DjiCsv(), Airdata(), Litchi(), DjiSrt(), Djmd(), Klv(), Ulog(), Ardupilot(), Tlog()]
embedders: list[Embedder] = [Colour(), OnnxEmbedder(weights="a.onnx")]
locators: list[Locator] = [Homography(view=View("gate", 640, 480, np.eye(3)))]
identifiers: list[Identifier] = [Ground(), Gallery()]


def over_ground(flight: Flight, pointing: Pointing, lens: Lens) -> Locator:
    """A camera on a drone."""
    return OverGround(flight=flight, pointing=pointing, lens=lens)
