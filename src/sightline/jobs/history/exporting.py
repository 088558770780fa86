"""The history as tables, for other programs."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float

from sightline.files import whole
from sightline.formats import tabular, xlsx
from sightline.formats.heatmap import drawn, png
from sightline.formats.tabular import TableFormat
from sightline.geodesy.maps import wgs84_from_map
from sightline.jobs.history.answers import Answers
from sightline.jobs.history.picturing import picture_of
from sightline.jobs.history.story import Chronicle, Seen

Export = Literal["tracking-data", "analytics-report"]
_NEAR_M, _LEAST_S, _CELL_M = 1.5, 3.0, 0.5
_METADATA = "detection_metadata"


def tracking_data(
    chronicle: Chronicle, answers: Answers, cameras: Collection[str] = (), people: Collection[str] = ()
) -> Iterator[pa.Table]:
    """Every box, one row each, oldest first, some rows at a time; of some cameras and people only, where given.

    ``timestamp`` is empty where nobody knows when the recordings began; ``t_s`` is the time on the site's clock.
    ``tracking_duration`` is how long, in seconds, the person had been seen by then.
    The first table has no rows.
    """
    yield _rows(answers, _nothing(), 0, np.zeros(0))
    first_s = np.full(len(answers.story.people.ids), np.inf)
    for k, task in enumerate(answers.story.tasks):
        for seen in chronicle.seen(answers.story, k):
            utc_s, known = seen.columns["t_s"] + task.zero_utc_s, seen.person >= 0
            np.minimum.at(first_s, seen.person[known], utc_s[known])
            since_s = np.where(known, utc_s - first_s[np.maximum(seen.person, 0)], np.nan)
            table = _rows(answers, seen, k, since_s)
            if cameras:
                table = table.filter(pc.is_in(table["camera_id"], pa.array(sorted(cameras), pa.string())))
            if people:
                table = table.filter(pc.is_in(table["person_id"], pa.array(sorted(people), pa.string())))
            yield table


def write_tracking_data(tables: Iterable[pa.Table], path: Path, kind: TableFormat) -> int:
    """Puts ``tracking_data`` into a file, and tells how many rows that were.

    Raises:
        FormatError: more rows than a sheet of XLSX can hold.
        OSError: the file cannot be written.
    """
    return tabular.write_in_turn(tables, path, kind, (_METADATA,))


def write_report(answers: Answers, path: Path, kind: TableFormat) -> None:
    """Puts everything that is known of the people into a file.

    JSON has all of it; XLSX a sheet for people, zones, visits, lines, crossings and meetings; CSV and Parquet people.

    Raises:
        OSError: the file cannot be written.
    """
    sheets = _sheets(answers)
    if kind == "xlsx":
        xlsx.write(sheets, path)
    elif kind != "json":
        tabular.write(sheets["people"], path, kind)
    else:
        said = answers.dashboard() | {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "dwell": answers.dwell(),
            "visits": answers.zone_visits(),
            "lines": answers.lines(),
            "speeds": answers.speeds(),
            "meetings": answers.meetings(_NEAR_M, _LEAST_S),
        }
        with whole(path) as partial:
            partial.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2))


def write_heatmap(answers: Answers, path: Path) -> None:
    """Draws where people spent their time, as PNG.

    Raises:
        OSError: the file cannot be written.
    """
    with whole(path) as partial:
        partial.write_bytes(png(drawn(picture_of(answers, _CELL_M))))


def _rows(answers: Answers, seen: Seen, k: int, since_s: np.ndarray) -> pa.Table:
    """Columns as clients know them, then ours."""
    column, people, n = seen.columns, answers.story.people, len(seen)
    scale = answers.site.map.metres_per_unit if answers.site else None
    place = np.column_stack([column["x_m"], column["y_m"]]) / (scale or np.nan)
    ids = pa.array([*people.ids, None], pa.string())
    names = pa.array([*(people.names.get(one) for one in people.ids), None], pa.string())
    who = pa.array(np.where(seen.person >= 0, seen.person, len(people.ids)))
    task = answers.story.tasks[k] if n else None
    return pa.table(
        {
            "person_id": ids.take(who),
            "timestamp": tabular.times(column["t_s"], task.begins_utc_s if task else None),
            "camera_id": pa.array(column["camera"], pa.string()),
            "bbox_x": column["x1_px"],
            "bbox_y": column["y1_px"],
            "bbox_width": column["x2_px"] - column["x1_px"],
            "bbox_height": column["y2_px"] - column["y1_px"],
            "confidence": column["score"].round(4),
            "map_x": pa.array(place[:, 0].round(4), from_pandas=True),
            "map_y": pa.array(place[:, 1].round(4), from_pandas=True),
            "tracking_duration": pa.array(since_s.round(3), from_pandas=True),
            _METADATA: _metadata(column),
            "person_name": names.take(who),
            "t_s": column["t_s"],
            "task_id": pa.array([task.task_id if task else ""] * n, pa.string()),
            **_on_earth(answers, np.column_stack([column["x_m"], column["y_m"]])),
        }
    )


def _on_earth(answers: Answers, xy_m: Float[np.ndarray, "n 2"]) -> dict[str, pa.Array]:
    """Latitude and longitude in degrees; empty where it is not known where on earth the map is."""
    anchor = answers.site.map.anchor if answers.site else None
    degrees = wgs84_from_map(anchor, xy_m) if anchor else [np.full(len(xy_m), np.nan)] * 2
    return {
        name: pa.array(column.round(8), from_pandas=True)
        for name, column in zip(("lat_deg", "lon_deg"), degrees, strict=True)
    }


def _metadata(column: dict[str, np.ndarray]) -> pa.Array:
    """What else is known of a box, as JSON."""
    parts: list[Any] = []
    names = {"track_id": "track", "frame_index": "moment", "x_m": "x_m", "y_m": "y_m"}
    names |= {"cov_xx_m2": "xx_m2", "cov_xy_m2": "xy_m2", "cov_yy_m2": "yy_m2"}
    for said, name in names.items():
        value = column[name]
        value = value.round(6) if value.dtype.kind == "f" else value
        text = pc.fill_null(pc.cast(pa.array(value, from_pandas=True), pa.string()), "null")
        parts += [f'{"," if parts else "{"}"{said}":', text]
    return pc.binary_join_element_wise(*parts, "}", "")


def _nothing() -> Seen:
    """No boxes."""
    none = np.zeros(0, np.int64)
    names = "x1_px", "y1_px", "x2_px", "y2_px", "score", "x_m", "y_m", "xx_m2", "xy_m2", "yy_m2", "t_s"
    floats = {name: np.zeros(0) for name in names}
    return Seen(none, none, {"moment": none, "track": none, "camera": np.zeros(0, object), **floats})


def _sheets(answers: Answers) -> dict[str, pa.Table]:
    """Tables of a report, by name."""
    dwell, lines = answers.dwell(), answers.lines()
    stays = [{"zone_id": zone["zone_id"], **one} for zone in dwell for one in zone["people"]]
    passed = [{"line_id": line["line_id"], **one} for line in lines for one in line["crossings"]]
    met = [
        {"first": pair["people"][0], "second": pair["people"][1], **{k: v for k, v in pair.items() if k != "people"}}
        for pair in answers.meetings(_NEAR_M, _LEAST_S)
    ]
    zones = [{key: value for key, value in zone.items() if key != "people"} for zone in dwell]
    counts = [{key: value for key, value in line.items() if key != "crossings"} for line in lines]
    rows = {
        "people": answers.people(), "zones": zones, "dwell": stays, "visits": answers.zone_visits(),
        "lines": counts, "crossings": passed, "meetings": met,
    }  # fmt: skip
    return {name: _table([_flat(row) for row in some]) for name, some in rows.items()}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """One value in each cell: parts of parts are named with both."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}_{inner}": one for inner, one in value.items()}
        else:
            flat[name] = " ".join(map(str, value)) if isinstance(value, list) else value
    return flat


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as columns; without rows there is one column, which is empty."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["nothing"]
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    """As texts or numbers; of nothing known, texts."""
    column = pa.array(values)
    return column.cast(pa.string()) if pa.types.is_null(column.type) else column
