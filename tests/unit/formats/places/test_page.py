"""The page of places, parsed as a browser does."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from sightline.formats.places import write
from sightline.simulation.flight.paths import FlightPlan

from .some import some


class Page(HTMLParser):
    """Cells of tables, links to elsewhere, and what the page says."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.elsewhere, self.words, self._in = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self._in = tag
        if tag == "td":
            self.cells.append("")
        self.elsewhere += [v for k, v in attrs if k in {"src", "href"}] + ([tag] if tag in {"script", "link"} else [])

    def handle_data(self, data):
        if self._in == "td":
            self.cells[-1] += data.strip()
        if self._in != "style":
            self.words.append(data)


@pytest.fixture
def page(tmp_path):
    def of(**known):
        write(tmp_path / "a.html", *some(**known))
        text = (tmp_path / "a.html").read_text()
        return Page(text), ET.fromstring(re.search("<svg.*?</svg>", text, re.DOTALL)[0]) if "<svg" in text else None

    return of


def test_there_is_a_line_for_each_track_and_nothing_comes_from_elsewhere(page):
    found, _ = page()
    assert found.elsewhere == []
    assert found.cells[0] == '2 <b>"&=\x01'
    assert found.cells[8:] == [
        "7 car", "09:19:31.7", "09:19:35.7", "20.0 m", "5.0 m/s", "5.0 m/s", "3.5 m", "51.476682, -3.189296",
    ]  # fmt: skip


def test_circles_are_drawn_to_scale_and_lie_on_the_map(page):
    _, drawn = page()
    circles = [c for c in drawn.iter("circle") if c.get("class") == "doubt"]
    ways = [p.get("d") for p in drawn.iter("path") if p.get("class") == "trail"]
    east = [[float(x) for x in re.findall(r"[ML]([\d.]+) ", way)] for way in ways]
    metre_px = (east[1][-1] - east[1][0]) / 20  # track 7 went 20 m east
    assert [float(c.get("r")) for c in circles] == pytest.approx([3.474 * metre_px] * 2, abs=0.06)
    wide, high = map(float, drawn.get("viewBox").split()[2:])
    for circle in circles:
        x, y, r = (float(circle.get(name)) for name in ("cx", "cy", "r"))
        assert r <= x <= wide - r
        assert r <= y <= high - r


def test_a_way_is_broken_where_nothing_was_seen_for_a_while(tmp_path):
    positions, about = some(n=12)
    for later_s, n_begins in ((0, 1), (60, 2)):
        write(tmp_path / "a.html", replace(positions, t_s=positions.t_s + later_s * (positions.t_s > 5)), about)
        ways = re.findall('class="trail" d="(.*?)"', (tmp_path / "a.html").read_text())
        assert [way.count("M") for way in ways] == [n_begins] * 2


def test_the_aircraft_is_drawn_while_the_video_lasted(page):
    flight = FlightPlan("line", speed_mps=5.0).log()
    lengths = {}
    for name, at in (("all", None), ("video", 10.0)):
        _, drawn = page(flight=flight, log_from_video_s=at)
        (way,) = [p.get("d") for p in drawn.iter("path") if p.get("class") == "truth"]
        lengths[name] = len(re.findall("[ML]", way))
    assert lengths == {"all": 401, "video": 51}


def test_without_times_of_day_seconds_of_the_video_are_told(page):
    found, _ = page(utc_ns=None)
    assert found.cells[9:11] == ["0.0 s", "4.0 s"]
    assert "UTC" not in " ".join(found.words)


def test_a_page_without_any_place_says_so_and_keeps_its_warnings(page):
    found, drawn = page(n=0, label=None, warnings=("the log has <no> position",))
    assert drawn is None
    assert "0 tracks placed" in " ".join(found.words)
    assert "the log has <no> position" in " ".join(found.words)


def test_of_very_many_tracks_the_longest_are_listed_and_the_page_stays_small(tmp_path):
    n, k = 30_000, np.arange(30_000)
    positions, about = some(n=n, label=None)
    write(tmp_path / "a.html", replace(positions, number=np.where(k < 29_000, k % 50, k)), about)
    text = (tmp_path / "a.html").read_text()
    assert "The 500 longest; 550 more are not shown." in text
    assert len(text) < 3_000_000
