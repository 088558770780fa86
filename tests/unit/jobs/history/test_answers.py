"""What is told of a known history."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sightline.errors import OptionError, UnknownError
from sightline.jobs.history.answers import Answers
from sightline.jobs.history.correcting import Corrector
from sightline.jobs.history.reading import answers_about
from sightline.jobs.history.story import Chronicle, Span
from sightline.jobs.sites import messages
from sightline.jobs.sites.shelf import Sites
from sightline.model.site import Anchor
from sightline.stores.sql.history import History
from sightline.stores.sql.tables import ONLINE_IDENTITIES

from .conftest import BEGIN_S, SITE, TASK, boxes, later, noted, walk


def test_everybody_is_told_with_how_long_and_how_far(ask, ids):
    people = ask().people()
    assert [one["person_id"] for one in people] == [ids[1], ids[2], ids[3]]
    one, _, three = people
    assert (one["distance_m"], one["there_s"]) == (pytest.approx(19.8), pytest.approx(19.8))
    assert (one["mean_mps"], three["distance_m"]) == (pytest.approx(1.0), 0.0)
    assert one["first"] == {"t_s": 0.0, "timestamp": "2023-11-14T22:13:20.000Z"}
    assert (three["cameras"], three["n_sightings"], three["first"]["t_s"]) == (["cam2"], 50, 5.0)


def test_zones_and_lines_are_in_the_maps_unit_and_answers_in_metres(ask, ids):
    west, east = ask().dwell()
    assert (len(west["people"]), len(east["people"])) == (3, 2)
    assert west["people"][0]["seconds"] == pytest.approx(10.0, abs=0.3)
    gate = ask().lines(5.0)[0]
    assert (gate["in"], gate["out"], gate["net"]) == (2, 0, 2)
    assert gate["crossings"][0]["person_id"] == ids[1]
    assert gate["crossings"][0]["at"]["t_s"] == pytest.approx(10.0)
    assert sum(gate["over_time"]["in"]) == 2
    assert ask().flow() == {"zones": ["west", "east"], "counts": [[0, 2], [0, 0]]}
    assert len(ask().zone_visits()) == 5


def test_how_many_are_there_adds_up_over_zones(ask):
    everywhere, west, east = ask().occupancy(1.0)
    assert np.allclose(np.array(west["people"]) + east["people"], everywhere["people"], atol=1e-3)
    assert max(everywhere["people"]) == pytest.approx(3.0)


def test_who_met_whom_and_where_time_was_spent(ask, ids):
    (met,) = ask().meetings(1.5, 3.0)
    assert {one["person_id"] for one in met["people"]} == {ids[1], ids[2]}
    assert (met["seconds"], met["nearest_m"]) == (pytest.approx(20.0), pytest.approx(1.0))
    heat = ask().heatmap(1.0)
    assert np.sum(heat["seconds"]) == pytest.approx(sum(one["there_s"] for one in ask().people()))


def test_a_shorter_time_is_told_of_alone(ask, walked, tmp_path):
    assert len(ask(task_id=TASK.task_id, from_s=16.0).people()) == 2
    some = ask(site="yard", from_utc_s=BEGIN_S + 5.0, to_utc_s=BEGIN_S + 6.0)
    assert [one["there_s"] for one in some.people()] == [pytest.approx(0.8)] * 3
    assert ask(site="yard", from_utc_s=BEGIN_S + 60.0).people() == []
    beside = answers_about(Chronicle(walked), Sites(tmp_path), Span(task_id=TASK.task_id, to_s=-1.0))
    assert (beside.people(), beside.dashboard()["summary"]["recorded_s"]) == ([], 0)
    with pytest.raises(UnknownError, match="no environment 'moon'"):
        answers_about(Chronicle(walked), Sites(tmp_path), Span(site="moon"))


def test_of_two_tasks_over_the_same_recordings_the_later_counts(walked, ask):
    noted(History(walked), later(asked_utc_s=1.76e9), walk(1, "cam1", (0, 0), (5, 0)))
    assert len(ask(site="yard").people()) == 1
    other = later(number=3, asked_utc_s=1.77e9, footage="e" * 64, begins_utc_s=BEGIN_S + 86_400)
    noted(History(walked), other, walk(1, "cam1", (0, 0), (5, 0)))
    people = ask(site="yard").people()
    assert [one["first"]["timestamp"][:10] for one in people] == ["2023-11-14", "2023-11-15"]
    assert [one["first"]["t_s"] for one in people] == [0.0, 0.0]


def test_a_time_that_nobody_knows_is_not_made_up(walked, ask):
    noted(History(walked), later(begins_utc_s=None, footage="e" * 64), walk(1, "cam1", (0, 0), (5, 0)))
    (one,) = ask(task_id=later().task_id).people()
    assert one["first"] == {"t_s": 0.0, "timestamp": None}


def test_ids_of_live_messages_lead_to_who_it_was(ask, ids, walked):
    Corrector(walked).merge(ids[3], ids[1], "ann")
    found = {one["live_id"]: one["person_id"] for one in ask().live_ids()}
    assert found == {messages.identity(TASK.task_id, live): ids[who] for live, who in ((11, 1), (12, 2), (13, 1))}


def test_a_live_id_of_two_who_were_merged_is_told_once(ask, ids, walked):
    with walked.begin() as connection:
        row = {"task_id": TASK.task_id, "online": 11, "number": 2, "n_sightings": 3}
        connection.execute(ONLINE_IDENTITIES.insert().values(row))
    Corrector(walked).merge(ids[2], ids[1], "ann")
    counts = {one["live_id"]: one["n_sightings"] for one in ask().live_ids()}
    assert counts[messages.identity(TASK.task_id, 11)] == 5 + 3
    assert len(ask().live_ids()) == 3


def test_speeds_lie_where_they_were_walked(ask):
    found = ask().speeds()
    seconds = dict(zip(found["edges_mps"], found["seconds"], strict=False))
    assert seconds[0.0] == pytest.approx(9.8)
    assert seconds[0.75] + seconds[1.0] == pytest.approx(2 * 19.8)


def test_people_who_are_looked_at_one_by_one_add_up(ask, monkeypatch):
    def said():
        one = ask()
        return [one.dashboard(), one.dwell(), one.zone_visits(), one.lines(5.0), one.occupancy(1.0), one.speeds()]

    whole = said()
    monkeypatch.setattr("sightline.jobs.history.answers._AT_ONCE", 1)
    assert said() == whole


def test_more_places_than_there_is_room_for_are_refused_before_they_are_read(ask, monkeypatch):
    monkeypatch.setattr("sightline.jobs.history.story.MOST_ROWS", 249)
    with pytest.raises(OptionError, match="more than 249 places"):
        ask().people()


def test_the_dashboard_has_all_of_it(ask):
    board = ask().dashboard()
    assert (board["summary"]["total_people"], board["summary"]["total_sightings"]) == (3, 250)
    assert board["cameras"] == [
        {"camera_id": "cam1", "people": 2, "sightings": 200},
        {"camera_id": "cam2", "people": 1, "sightings": 50},
    ]
    assert board["charts"]["traffic_flow"]["lines"][0]["in"] == 2


def test_ways_are_thinned_as_asked(ask, ids):
    (way,) = ask().trajectories(ids[1], 1.0)
    assert [point["t_s"] for point in way["points"]] == [float(second) for second in range(20)]
    assert len(ask().trajectories()) == 3


def test_what_makes_no_sense_is_named(walked, ask):
    chronicle = Chronicle(walked)
    with pytest.raises(OptionError, match="task_id or environment_id"):
        chronicle.story(Span())
    with pytest.raises(UnknownError, match="no task"):
        chronicle.story(Span(task_id="f" * 32))
    with pytest.raises(OptionError, match="before it begins"):
        chronicle.story(Span(site="yard", from_utc_s=2.0, to_utc_s=1.0))
    with pytest.raises(OptionError, match="bin_s"):
        ask().occupancy(1e-4)
    History(walked).begin(later())
    with pytest.raises(UnknownError, match="not settled"):
        chronicle.story(Span(task_id=later().task_id))


def test_without_a_scale_nothing_is_counted_in_zones(ask):
    answers = ask()
    answers.site = SITE.__class__(SITE.id, SITE.name, SITE.map.__class__(None), (), SITE.zones, SITE.lines)
    assert (answers.dwell(), answers.lines()) == ([], [])


def test_people_whom_no_camera_can_place_are_told_of_all_the_same(engine):
    nowhere = walk(1, "cam1", (np.nan, np.nan), (np.nan, np.nan), seconds=4.0)
    noted(History(engine), later(), nowhere, where=False)
    chronicle = Chronicle(engine)
    answers = Answers(chronicle, chronicle.story(Span(task_id=later().task_id)), SITE)
    (one,) = answers.people()
    assert (one["cameras"], one["n_sightings"], one["there_s"], one["mean_mps"]) == (["cam1"], 20, None, None)
    assert answers.dashboard()["charts"]["heatmap"]["seconds"] == []
    assert answers.occupancy(1.0)[0]["people"] == []
    assert boxes(chronicle, answers)["map_x"].null_count == 20


def test_where_the_map_has_a_place_on_earth_so_has_everybody(ask, ids):
    asked = ask()
    anchored = replace(SITE, map=replace(SITE.map, anchor=Anchor(0.0, 0.0, np.pi / 2)))
    answers = Answers(asked._chronicle, asked.story, anchored)
    (way,) = answers.trajectories(ids[1], 1.0)
    on_map, there = (
        [(point[x], point[y]) for point in way["points"]] for x, y in (("x_m", "y_m"), ("lon_deg", "lat_deg"))
    )
    assert np.array(there) * 111_319.5 == pytest.approx(np.array(on_map), abs=0.1)  # a degree of the equator
    rows = boxes(asked._chronicle, answers)
    place = json.loads(rows["detection_metadata"][0].as_py())
    assert rows["lon_deg"][0].as_py() * 111_319.5 == pytest.approx(place["x_m"], abs=0.1)
    assert "lat_deg" not in asked.trajectories()[0]["points"][0]
    assert boxes(asked._chronicle, asked)["lat_deg"].null_count == len(rows)
