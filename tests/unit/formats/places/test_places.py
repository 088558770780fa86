"""Places as others read them: parsed by the standard library or Arrow, never searched for substrings."""

import csv
import json
import struct
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from sightline.errors import FormatError
from sightline.formats.places import ENDINGS, height_of, write
from sightline.formats.places.cot import events
from sightline.formats.places.rows import bundles, rows_of
from sightline.formats.places.table import read_parquet
from sightline.formats.places.text import fixed, short
from sightline.model.positions import Origin
from sightline.simulation.flight.paths import FlightPlan

from .some import CARDIFF, NASTY, NOON, NOON_NS, some

KML = {"": "http://www.opengis.net/kml/2.2", "gx": "http://www.google.com/kml/ext/2.2"}
GPX = {"": "http://www.topografix.com/GPX/1/1", "tpx": "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"}
READABLE = NASTY.replace("\u0001", "")
LOG = FlightPlan("line").log()


@pytest.fixture
def written(tmp_path):
    """Writes and hands back the file."""

    def do(ending, positions=None, about=None):
        made = some()
        path = tmp_path / f"places.{ending}"
        write(path, made[0] if positions is None else positions, about or made[1])
        return path

    return do


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_at_all_makes_a_sound_file(written, ending):
    path = written(ending, *some(n=0, label=None))
    if ending.endswith("json"):
        assert json.loads(path.read_text())["features"] == []
    elif ending in {"kml", "gpx", "cot.xml"}:
        assert not list(ET.parse(path).getroot().iter("trkpt"))
    else:
        assert path.stat().st_size > 0


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_map_of_its_own_has_no_place_on_earth(written, tmp_path, ending):
    with pytest.raises(FormatError, match="no place on earth"):
        written(ending, *some(origin=None))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_flight_alone_is_written_too(written, ending):
    positions, about = some(n=0, label=None, flight=LOG)
    text = written(ending, positions, about).read_bytes()
    if ending in {"geojson", "kml", "gpx"}:
        assert b"aircraft" in text
        assert text.count(b"51.47") >= len(LOG)


def test_an_unknown_ending_is_refused_with_those_there_are(written):
    with pytest.raises(FormatError, match=r"\.points\.geojson.*\.cot\.xml"):
        written("shp")


def test_points_stand_longitude_first_and_say_what_is_known(written):
    features = json.loads(written("points.geojson").read_text())["features"]
    assert [f["properties"]["frame"] for f in features] == [0, 1, 3, 4, 5]  # the third has no place
    first, second = features[:2]
    assert first["geometry"] == {"type": "Point", "coordinates": [-3.189584, 51.4766815, 63]}
    assert first["properties"] == {
        "track": 7, "class": "car", "frame": 0, "t_s": 0, "time": NOON,
        "speed_mps": 5, "heading_deg": 90, "ce90_m": 3.474,
    }  # fmt: skip
    assert second["properties"]["class"] == NASTY
    assert second["properties"]["heading_deg"] is None


def test_a_height_that_is_not_above_the_ellipsoid_has_no_place_in_geojson(written):
    for known in ("sea", "unknown"):
        (feature, *_) = json.loads(written("points.geojson", *some(height_is=known)).read_text())["features"]
        assert len(feature["geometry"]["coordinates"]) == 2


def test_lines_hold_a_list_for_each_coordinate(written):
    features = json.loads(written("geojson").read_text())["features"]
    assert [f["properties"]["track"] for f in features] == [2, 7]
    for feature in features:
        assert feature["geometry"]["type"] == "LineString"
        n = len(feature["geometry"]["coordinates"])
        assert {len(v) for v in feature["properties"].values() if isinstance(v, list)} == {n}
    assert features[1]["properties"]["times"][0] == NOON


def test_a_track_of_one_place_is_a_point_not_a_line(written):
    features = json.loads(written("geojson", *some(n=2)).read_text())["features"]
    assert [f["geometry"]["type"] for f in features] == ["Point", "Point"]
    assert features[0]["geometry"]["coordinates"][:2] == [-3.1898719, 51.4760524]


def test_lines_are_cut_where_they_cross_the_180th_meridian(written):
    positions, about = some(n=8, origin=Origin(-16.8, 179.9998), label=None)
    features = json.loads(written("geojson", positions, about).read_text())["features"]
    lon = [[c[0] for c in np.atleast_2d(f["geometry"]["coordinates"])] for f in features]
    assert all(np.ptp(side) < 1 for side in lon)
    ids = [f["properties"]["track"] for f in features]
    assert ids == [2, 7, 7]
    assert lon[1][-1] > 179.9
    assert lon[2][0] < -179.9


def test_lines_are_broken_where_nothing_was_seen_for_a_while(written):
    positions, about = some(n=12)
    positions = replace(positions, t_s=positions.t_s / 2 + 60 * (positions.frame_index > 5))
    features = json.loads(written("geojson", positions, about).read_text())["features"]
    found = [(f["properties"]["track"], f["properties"]["t_s"]) for f in features]
    assert found == [(2, [0.5, 1.5, 2.5]), (2, [63.5, 64.5, 65.5]), (7, [0, 2]), (7, [63, 64, 65])]
    names = [n.text for n in ET.parse(written("kml", positions, about)).getroot().findall(".//Placemark/name", KML)]
    assert names == [f"2 {READABLE}"] * 2 + ["7 car"] * 2
    tracks = ET.parse(written("gpx", positions, about)).getroot().findall("trk", GPX)
    sizes = [[len(segment) for segment in track.findall("trkseg", GPX)] for track in tracks]
    assert sizes == [[3, 3], [2, 3]]


def test_kml_has_as_many_moments_as_coordinates_and_values(written):
    root = ET.parse(written("kml")).getroot()
    tracks = root.findall(".//gx:Track", KML)
    assert len(tracks) == 2
    for track, n in zip(tracks, (3, 2), strict=True):
        assert len(track.findall("when", KML)) == len(track.findall("gx:coord", KML)) == n
        assert [len(array) for array in track.findall(".//gx:SimpleArrayData", KML)] == [n] * 3
    names = [name.text for name in root.findall(".//Placemark/name", KML)]
    assert names == [f"2 {READABLE}", "7 car"]
    colours = [colour.text for colour in root.findall(".//LineStyle/color", KML)]
    assert len({*colours}) == 2
    assert tracks[1].find("when", KML).text == NOON
    assert tracks[1].find("gx:coord", KML).text == "-3.1895840 51.4766815 0"


def test_kml_without_the_time_of_day_is_plain_lines_and_points(written):
    root = ET.parse(written("kml", *some(n=4, utc_ns=None))).getroot()
    assert not root.findall(".//gx:Track", KML)
    (line,) = root.findall(".//LineString/coordinates", KML)
    assert len(line.text.split()) == 2
    assert len(root.findall(".//Point", KML)) == 1  # of the other track only one row has a place


def test_the_aircraft_flies_at_its_height_above_the_sea_or_lies_on_the_ground(written):
    for log, mode in ((LOG, "absolute"), (replace(LOG, height_sea_m=LOG.height_sea_m * np.nan), "clampToGround")):
        root = ET.parse(written("kml", *some(flight=log))).getroot()
        way = root.find(".//Placemark", KML)
        assert way.find("name", KML).text == "aircraft"
        assert way.find(".//altitudeMode", KML).text == mode
        assert len(way.findall(".//gx:coord", KML)) == len(log)


def test_kmz_holds_the_same_document(written):
    with zipfile.ZipFile(written("kmz")) as archive:
        assert archive.namelist() == ["doc.kml"]
        assert archive.read("doc.kml") == written("kml").read_bytes()


def test_gpx_has_tracks_with_time_speed_and_height_above_the_sea_only(written):
    root = ET.parse(written("gpx")).getroot()
    assert [name.text for name in root.findall("trk/name", GPX)] == [f"2 {READABLE}", "7 car"]
    first = root.findall("trk", GPX)[1].find("trkseg/trkpt", GPX)
    assert first.attrib == {"lat": "51.4766815", "lon": "-3.1895840"}
    assert first.find("time", GPX).text == NOON
    assert first.find(".//tpx:speed", GPX).text == "5"
    assert first.find(".//tpx:course", GPX).text == "90"
    assert first.find("ele", GPX) is None  # 63 m are above the ellipsoid
    known = ET.parse(written("gpx", *some(height_is="sea", utc_ns=None))).getroot()
    assert known.find("trk/trkseg/trkpt/ele", GPX).text == "64"
    assert known.find(".//time", GPX) is None


def test_cursor_on_target_says_who_where_when_and_how_surely(written):
    events_ = ET.parse(written("cot.xml")).getroot().findall("event")
    assert [e.get("time") for e in events_] == sorted(e.get("time") for e in events_)
    first, second = events_[:2]
    assert first.get("uid") == "clip & <co>.7"
    assert first.get("type") == "a-u-G-E-V"
    assert second.get("type") == "a-u-G"
    assert (first.get("start"), first.get("stale")) == (NOON, "2026-05-17T09:19:41.701Z")
    assert first.find("point").attrib == {
        "lat": "51.4766815", "lon": "-3.1895840", "hae": "63", "ce": "3.47", "le": "4.93",
    }  # fmt: skip
    assert first.find("detail/track").attrib == {"course": "90", "speed": "5"}
    assert second.find("detail/track").attrib == {"speed": "0.01"}
    assert second.find("detail/contact").get("callsign") == f"{READABLE} 2"


def test_cursor_on_target_owns_up_to_an_unknown_height_and_refuses_an_unknown_time(written):
    event = ET.parse(written("cot.xml", *some(height_is="sea"))).getroot().find("event")
    assert event.find("point").get("hae") == "9999999.0"
    with pytest.raises(FormatError, match="time of day"):
        written("cot.xml", *some(utc_ns=None))


def test_heights_count_from_what_the_take_off_is_known_by():
    unknown = np.full(len(LOG), np.nan)
    assert height_of(LOG) == "ellipsoid"
    assert height_of(replace(LOG, height_ellipsoid_m=unknown)) == "sea"
    assert height_of(replace(LOG, height_takeoff_m=unknown)) == "unknown"  # and not the height of the aircraft itself


def test_many_rows_are_taken_some_whole_tracks_at_a_time():
    positions, about = some(n=3, label=None)
    few = rows_of(positions, about)
    many = few.rows(np.zeros(150_000, np.int64))
    many = replace(many, number=np.repeat([1, 2, 5, 9], [20_000, 70_000, 50_000, 10_000]))
    found = [np.unique(part.number).tolist() for part in bundles(many)]
    assert found == [[1, 2], [5, 9]]
    assert sum(map(len, bundles(many))) == len(many)
    assert list(bundles(many.rows(slice(0)))) == []


def test_each_event_that_is_sent_is_a_document_of_its_own():
    sent = list(events(*some()))
    assert [t_s for t_s, _ in sent] == [0, 1, 3, 4, 5]
    assert {ET.fromstring(event).tag for _, event in sent} == {"event"}


def test_csv_keeps_every_row_and_disarms_formulas(written):
    positions, about = some(classes=("=HYPERLINK(1)", 'a "car", red'))
    with written("csv", positions, about).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(positions)
    assert rows[0]["class"] == "'=HYPERLINK(1)"
    assert rows[1]["class"] == 'a "car", red'
    assert rows[2]["latitude"] == rows[2]["ce90_m"] == ""
    assert float(rows[4]["east_m"]) == 20
    assert rows[1]["heading_deg"] == ""
    assert rows[0]["time"] == NOON


def test_geoparquet_has_points_that_gis_programs_read(written):
    table = parquet.read_table(written("parquet"))
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    column = geo["columns"][geo["primary_column"]]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Point"]
    assert column["bbox"] == pytest.approx([-3.1898719, 51.4760524, -3.1892961, 51.4766815], abs=1e-7)
    points = table["geometry"].to_pylist()
    assert points[2] is None
    assert struct.unpack("<BIdd", points[0])[:2] == (1, 1)
    assert struct.unpack("<BIdd", points[0])[2:] == pytest.approx((-3.189584, 51.4766815), abs=1e-7)
    assert table["time"][0].as_py().timestamp() * 1e9 == pytest.approx(NOON_NS, abs=1e6)


def test_what_is_no_table_of_places_is_refused(tmp_path, written):
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(written("parquet").read_bytes()[:-9])
    with pytest.raises(FormatError, match=r"damaged\.parquet: not a sound Parquet file"):
        read_parquet(damaged)
    other = tmp_path / "other.parquet"
    parquet.write_table(parquet.read_table(written("parquet")).replace_schema_metadata({}), other)
    with pytest.raises(FormatError, match=r"other\.parquet: holds no places"):
        read_parquet(other)


@pytest.mark.parametrize(
    "odd",
    [
        {"east_m": ["far"] * 4}, {"frame": [0.5] * 4}, {"track": [None] * 4}, {"class": ["car"] * 4},
        {"origin": {"lat_deg": 200.0, "lon_deg": 0.0, "height_m": 0.0, "name": "moon"}}, {"origin": [1, 2]},
        {"about": {"name": "a", "utc_ns": "noon", "height_is": "sea", "classes": ["car"]}},
        {"about": {"name": "a", "utc_ns": 10**30, "height_is": "sea", "classes": ["car"]}},
        {"about": {"name": "a", "utc_ns": None, "height_is": "moon", "classes": ["car"]}},
        {"about": {"name": "a", "utc_ns": None, "height_is": "sea", "classes": []}},
        {"version": "two"}, {"version": 99},
    ],
    ids=str,
)  # fmt: skip
def test_a_table_that_somebody_changed_is_refused_by_name(tmp_path, written, odd):
    table = parquet.read_table(written("parquet", *some(n=4)))
    said = json.loads(table.schema.metadata[b"sightline"])
    for name, value in odd.items():
        if name in said:
            said[name] = value
        else:
            table = table.set_column(table.schema.get_field_index(name), name, pa.array(value))
    path = tmp_path / "changed.parquet"
    parquet.write_table(table.replace_schema_metadata({b"sightline": json.dumps(said).encode()}), path)
    with pytest.raises(FormatError, match=r"changed\.parquet: (holds no places|written by a later version)"):
        read_parquet(path)


@settings(max_examples=30, deadline=None)  # it writes files
@given(st.integers(0, 9), st.sampled_from(["ellipsoid", "sea", "unknown"]), st.none() | st.integers(0, 2**61))
def test_geoparquet_gives_back_all_that_was_written(tmp_path_factory, n, height_is, utc_ns):
    positions, about = some(n=n, height_is=height_is, utc_ns=utc_ns)
    path = tmp_path_factory.mktemp("places") / "a.parquet"
    write(path, positions, about)
    found, said = read_parquet(path)
    assert found.origin == CARDIFF
    for name in ("frame_index", "t_s", "number", "xyz_enu_m", "cov_enu_m2", "velocity_enu_mps", "cov_velocity_m2ps2"):
        np.testing.assert_array_equal(getattr(found, name), getattr(positions, name))
    np.testing.assert_array_equal(said.label, about.label)
    assert (said.name, said.utc_ns, said.height_is, said.classes) == (about.name, utc_ns, height_is, about.classes)


numbers = st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, 1e-7, -4e-8, 0.99999999, -179.99999999])


@given(st.lists(numbers, max_size=20))
def test_texts_of_numbers_are_those_numbers_without_an_exponent(values):
    column = np.array(values, float)
    for text, value in zip(fixed(column, 7).to_pylist(), values, strict=True):
        assert float(text) == pytest.approx(value, abs=5.1e-8, rel=1e-15)
        assert text[-8] == "."
        assert text != "-0.0000000"
        assert "e" not in text
    for text, value in zip(short(column / 1e4, 3).to_pylist(), values, strict=True):
        assert float(text) == pytest.approx(value / 1e4, abs=5.1e-4)
        assert "e" not in text


def test_what_is_not_finite_is_no_text():
    assert (
        fixed(np.array([np.nan, np.inf]), 7).to_pylist()
        == short(np.array([np.nan, -np.inf]), 3).to_pylist()
        == [None] * 2
    )
