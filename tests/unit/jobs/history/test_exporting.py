"""Files of a known history."""

import json
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pytest

from sightline.errors import OptionError
from sightline.fetching import Policy
from sightline.jobs.history.answers import Answers
from sightline.jobs.history.correcting import Corrector
from sightline.jobs.history.exporting import tracking_data, write_heatmap, write_report, write_tracking_data
from sightline.jobs.history.overlaying import Overlay, overlaid
from sightline.jobs.history.story import Chronicle, Span
from sightline.jobs.kinds import Task
from sightline.jobs.kinds.export import overlay
from sightline.model.site import Watch
from sightline.settings import load

from .conftest import SITE, TASK, boxes

COLUMNS = (
    "person_id timestamp camera_id bbox_x bbox_y bbox_width bbox_height confidence map_x map_y tracking_duration"
    " detection_metadata"
)


@pytest.fixture
def chronicle(walked):
    return Chronicle(walked)


def never():
    return False


def quiet(*_):
    pass


def test_every_box_is_a_row_with_the_columns_that_clients_know(chronicle, ask, ids):
    table = boxes(chronicle, ask())
    assert " ".join(table.column_names).startswith(COLUMNS)
    row = table.to_pylist()[-1]
    assert row["person_id"] in {ids[1], ids[2]}
    assert row["timestamp"] == "2023-11-14T22:13:39.800Z"
    assert (row["bbox_width"], row["bbox_height"], row["confidence"]) == (40.0, 90.0, 0.9)
    assert row["map_x"] == pytest.approx(2 * 19.8)  # in the map's unit
    assert row["tracking_duration"] == pytest.approx(19.8)
    said = json.loads(row["detection_metadata"])
    assert (said["frame_index"], said["x_m"], said["cov_xx_m2"]) == (99, pytest.approx(19.8), pytest.approx(0.04))


def test_some_cameras_and_people_can_be_had_alone(chronicle, ask, ids):
    assert set(boxes(chronicle, ask(), cameras=["cam2"])["person_id"].to_pylist()) == {ids[3]}
    assert len(boxes(chronicle, ask(), people=[ids[2]])) == 100
    assert len(boxes(chronicle, ask(site="yard", from_s=90.0))) == 0


def test_what_comes_some_rows_at_a_time_is_the_same(chronicle, ask, tmp_path, monkeypatch):
    whole = boxes(chronicle, ask())
    monkeypatch.setattr("sightline.stores.sql.bulk._AT_ONCE", 40)
    assert len(list(tracking_data(chronicle, ask()))) > 5
    assert boxes(chronicle, ask()).equals(whole)
    for kind in ("json", "csv", "parquet", "xlsx"):
        assert write_tracking_data(tracking_data(chronicle, ask()), tmp_path / f"t.{kind}", kind) == 250
    assert [row["t_s"] for row in json.loads((tmp_path / "t.json").read_text())] == whole["t_s"].to_pylist()
    assert (tmp_path / "t.csv").read_text().count("\n") == 251
    assert pq.read_table(tmp_path / "t.parquet").equals(whole)


def test_names_of_people_are_never_calculated(chronicle, ask, walked, ids, tmp_path):
    Corrector(walked).rename(ids[1], "=cmd|' /C calc'!A0", "ann")
    write_tracking_data(tracking_data(chronicle, ask()), tmp_path / "t.csv", "csv")
    text = (tmp_path / "t.csv").read_text()
    assert "\"'=cmd|" in text
    assert ',"=cmd' not in text


def test_a_report_has_a_sheet_for_everything(ask, tmp_path):
    write_report(ask(), tmp_path / "r.xlsx", "xlsx")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["people", "zones", "dwell", "visits", "lines", "crossings", "meetings"]
    assert [book[name].max_row - 1 for name in book.sheetnames] == [3, 2, 5, 5, 1, 2, 1]
    write_report(ask(), tmp_path / "r.json", "json")
    said = json.loads((tmp_path / "r.json").read_text())
    assert said["summary"]["total_people"] == len(said["charts"]["person_statistics"]) == 3
    write_report(ask(), tmp_path / "r.csv", "csv")
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 4
    write_heatmap(ask(), tmp_path / "h.png")
    assert (tmp_path / "h.png").read_bytes()[:4] == b"\x89PNG"


GREY = np.full((200, 480, 3), 128, np.uint8)
CHECKS = np.where(np.indices((200, 480)).sum(axis=0) // 8 % 2, 230, 30).astype(np.uint8)[:, :, None].repeat(3, 2)


def filmed(path, n=100, picture=GREY):
    """Twenty seconds of one picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 480, 200, "yuv420p", Fraction(1, 5)
        for _ in range(n):
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return str(path)


def test_a_video_shows_everybody_in_their_box_at_their_time(chronicle, ask, tmp_path):
    answers = ask(task_id=TASK.task_id, from_s=4.0, to_s=6.0)
    answers.site = replace(SITE, watches=(Watch("cam2", (filmed(tmp_path / "cam2.mp4"),)),))
    wanted = Overlay(camera="cam2", folder=tmp_path, policy=Policy())
    n = overlaid(chronicle, answers, wanted, tmp_path / "out.mp4", quiet, never)
    with av.open(str(tmp_path / "out.mp4")) as container:
        pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert n == len(pictures) == 10
    coloured = [bool((np.ptp(picture, axis=2) > 60).any()) for picture in pictures]
    assert coloured == [False] * 5 + [True] * 5  # number 3 is there from 5 s on
    hidden = replace(wanted, privacy="bodies")
    assert overlaid(chronicle, answers, hidden, tmp_path / "hidden.mp4", quiet, never) == 10
    column = np.flatnonzero((np.ptp(pictures[-1], axis=2) > 60).any(axis=0))
    assert abs(column.min() - 305) < 25


def test_a_video_covers_at_least_what_the_installation_wants(walked, tmp_path):
    videos = f'videos = ["{filmed(tmp_path / "cam1.mp4", 10, CHECKS)}"]'
    (tmp_path / "yard.toml").write_text(f'id = "yard"\n[[cameras]]\nid = "cam1"\n{videos}\n')
    wanted = {"database": f"sqlite:///{tmp_path / 'rows.db'}", "privacy": "bodies"}
    settings = load(None, data_folder=tmp_path / "data", sites_folder=tmp_path, **wanted)
    asked = {"task_id": TASK.task_id, "to_s": 0.5}
    out = tmp_path / "out"
    overlay(Task(job_id="1", params=asked, folder=out, settings=settings), quiet, never)
    with av.open(str(out / "cam1.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert picture[110:180, 110:135].std() < 30, "number 1 is at 100..140, 100..190"
    assert picture[:80, :80].std() > 80
    (tmp_path / "yard.toml").unlink()
    with pytest.raises(OptionError, match="the site's file is gone"):
        overlay(Task(job_id="1", params=asked, folder=out, settings=settings), quiet, never)


def test_a_camera_without_recordings_is_named(walked, chronicle, tmp_path):
    answers = Answers(chronicle, chronicle.story(Span(task_id=TASK.task_id)), SITE)
    with pytest.raises(OptionError, match="camera 'cam9'"):
        overlaid(
            chronicle,
            answers,
            Overlay(camera="cam9", folder=tmp_path, policy=Policy()),
            tmp_path / "o.mp4",
            quiet,
            never,
        )
    answers.site = replace(SITE, watches=(Watch("cam1", ("rtsp://127.0.0.1:9/x",)),))
    with pytest.raises(OptionError, match="is a stream"):
        overlaid(
            chronicle,
            answers,
            Overlay(camera="cam1", folder=tmp_path, policy=Policy()),
            tmp_path / "o.mp4",
            quiet,
            never,
        )
