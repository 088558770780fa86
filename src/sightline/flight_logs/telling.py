"""Which kind of log a file is: by its ending, and for tables by the names of the columns."""

from pathlib import Path

from sightline.errors import FormatError
from sightline.flight_logs.dataflash import MAGIC
from sightline.flight_logs.table import header

_BY_SUFFIX = {
    ".srt": "dji_srt", ".ulg": "ulog", ".ts": "klv", ".m2ts": "klv", ".mpg": "klv", ".klv": "klv", ".tlog": "tlog",
    ".mp4": "djmd", ".mov": "djmd",
}  # fmt: skip


def log_name(path: Path) -> str:
    """The name of the engine that reads the file.

    Raises:
        FormatError: nobody here knows such a file.
        OSError: it cannot be read.
    """
    if path.suffix.lower() == ".bin":
        with path.open("rb") as file:
            return "ardupilot" if file.read(len(MAGIC)) == MAGIC else "klv"
    if path.suffix.lower() in _BY_SUFFIX:
        with path.open("rb"):
            return _BY_SUFFIX[path.suffix.lower()]
    names = header(path).lower()
    if "osd.latitude" in names:
        return "dji_csv"
    if "height_above_takeoff" in names:
        return "airdata"
    if "istakingvideo" in names:
        return "litchi"
    if path.suffix.lower() == ".txt":
        raise FormatError(f"{path}: logs of the DJI app are encrypted; export it as CSV with Flight Reader or AirData")
    raise FormatError(
        f"{path}: no known flight log: its first line names neither OSD.latitude (DJI), height_above_takeoff (AirData) "
        "nor isTakingVideo (Litchi)"
    )
