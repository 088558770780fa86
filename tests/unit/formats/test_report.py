"""The page as a reader's browser sees it: parsed, not searched for substrings."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from sightline.evaluation import MEANING
from sightline.formats import report
from sightline.formats.report import CameraPart, Chart, Curve, GroundMap, Number, ReportPage, Trail
from sightline.model.tracks import Tracks

VOID = {"meta", "source", "img", "br", "hr", "link", "input"}
NASTY = "<script>alert(1)</script> \"quoted\" & 'ticked'"


class Reader(HTMLParser):
    """Collects tags and text; complains about tags that close in the wrong order."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self._open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.text.append(data)

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def words(self):
        return re.sub(r"[ \n]+", " ", " ".join(self.text)).strip()  # but keeps thin spaces


def read(page):
    reader = Reader()
    reader.feed(report.html(page))
    assert not reader._open
    return reader


def full(name="yard", video="yard/annotated.mp4"):
    t_s = np.arange(0, 10, 0.5)
    trail = Trail(3, np.stack([np.linspace(-5, 5, 50), np.linspace(0, 8, 50)], axis=1))
    return ReportPage(
        title="Sightline demo",
        lead=f"What happened at {name}.",
        numbers=(Number.percent("HOTA", 0.712), Number.count("FP", 12345)),
        cameras=(
            CameraPart(
                name,
                video=video,
                still="yard/still.jpg",
                numbers=(Number.percent("HOTA", 0.6), Number("ids", "3 / 2")),
                chart=Chart("People in view", (Curve("found", t_s, np.arange(20)), Curve("true", t_s, np.arange(20)))),
                ground=GroundMap((trail,), (trail,)),
                files=(f"{name}/tracks.csv",),
                warnings=(f"2 pictures of {name} were lost",),
            ),
            CameraPart("gate", still="gate.jpg"),
        ),
        meaning=MEANING,
        made=(("Detector", f"people_hog at {name}"), ("Seed", "7")),
        command="sightline demo --seed 7",
        warnings=("The truth is simulated.",),
    )


def test_everything_given_is_on_the_page():
    reader = read(full())
    for said in ("71.2 %", "12\u2009345", "3 / 2", "tracks.csv", "were lost", "simulated", "people_hog", "--seed 7"):
        assert said in reader.words
    assert reader.of("source")[0]["src"] == "yard/annotated.mp4"
    assert "controls" in reader.of("video")[0]
    assert reader.of("img")[0]["src"] == "gate.jpg"
    assert len(reader.of("svg")) == 2


def test_only_numbers_on_the_page_are_explained():
    words = read(full()).words
    assert MEANING["HOTA"] in words
    assert MEANING["ids"] in words
    assert MEANING["MOTA"] not in words


def test_nothing_is_fetched_from_elsewhere_and_nothing_runs():
    reader = read(full())
    assert not reader.of("script")
    assert not reader.of("link")
    addresses = [attrs[key] for _, attrs in reader.tags for key in ("src", "href", "poster") if key in attrs]
    assert addresses
    assert not [address for address in addresses if re.match(r"[a-z]+:|//", address, re.IGNORECASE)]
    assert not re.search(r"url\(|@import", report.html(full()))


def test_names_cannot_break_the_page():
    reader = read(full(name=NASTY, video="a: b#c?.mp4"))
    assert not reader.of("script")
    assert NASTY in reader.words
    assert reader.of("source")[0]["src"] == "a%3A%20b%23c%3F.mp4"


def test_it_suits_dark_rooms_and_phones():
    text = report.html(full())
    assert "prefers-color-scheme: dark" in text
    assert read(full()).of("meta")[1] == {"name": "viewport", "content": "width=device-width, initial-scale=1"}


def test_an_empty_page_is_a_page():
    reader = read(ReportPage("Nothing"))
    assert reader.words == "Nothing Nothing"
    assert not reader.of("section")


def test_it_is_written_whole(tmp_path):
    report.write(tmp_path / "demo" / "index.html", full())
    assert (tmp_path / "demo" / "index.html").read_text(encoding="utf-8") == report.html(full())
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["index.html"]


def points(reader, kind):
    """The points of each path of that class."""
    return [
        np.array(re.findall(r"([ML])([-.\d]+) ([-.\d]+)", attrs["d"]))[:, 1:].astype(float)
        for attrs in reader.of("path")
        if kind in attrs["class"].split()
    ]


def drawn(ground):
    return read(ReportPage("Map", ground=ground))


def test_the_map_keeps_shape_and_has_north_up():
    square = Trail(1, np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]]))
    [path] = points(drawn(GroundMap(found=(square,))), "trail")
    east, north = path[1] - path[0], path[2] - path[1]
    assert east[0] == pytest.approx(-north[1], abs=0.2)
    assert east[0] > 0
    assert (east[1], north[0]) == pytest.approx((0, 0), abs=0.2)


@pytest.mark.parametrize("size_m", [(200.0, 1.0), (1.0, 200.0), (0.0, 0.0), (3.0, 4.0)])
def test_the_map_lies_inside_its_frame(size_m):
    reader = drawn(GroundMap(found=(Trail(1, np.array([[7.0, -3.0], [7.0 + size_m[0], -3.0 + size_m[1]]])),)))
    _, _, wide, tall = map(float, reader.of("svg")[0]["viewbox"].split())
    [path] = points(reader, "trail")
    assert ((path >= 0) & (path <= [wide, tall])).all()


def test_gaps_break_the_line_and_a_track_without_places_draws_nothing():
    xy_m = np.stack([np.arange(9.0), np.arange(9.0)], axis=1)
    xy_m[4] = np.nan
    reader = drawn(GroundMap(found=(Trail(1, xy_m), Trail(2, np.full((3, 2), np.nan)))))
    paths = [attrs["d"] for attrs in reader.of("path") if attrs["class"] == "trail"]
    assert [path.count("M") for path in paths] == [2]
    assert "nan" not in report.html(ReportPage("Map", ground=GroundMap(found=(Trail(1, xy_m),))))


def test_a_map_or_chart_of_nothing_is_left_out():
    nothing = Chart("Empty", (Curve("found", np.zeros(0), np.zeros(0)),))
    reader = read(ReportPage("Page", ground=GroundMap(), cameras=(CameraPart("yard", chart=nothing),)))
    assert not reader.of("svg")
    assert "Empty" not in reader.words


def test_long_tracks_do_not_make_the_page_heavy():
    rng = np.random.default_rng(0)
    long = tuple(Trail(k, np.cumsum(rng.normal(size=(100_000, 2)), axis=0)) for k in range(5))
    assert len(report.html(ReportPage("Map", ground=GroundMap(found=long)))) < 100_000


def test_a_curve_holds_its_value_until_the_next():
    curve = Curve("found", np.array([0.0, 1.0, 3.0]), np.array([0, 2, 1]))
    reader = read(ReportPage("Page", cameras=(CameraPart("yard", chart=Chart("Ids", (curve,))),)))
    [path] = points(reader, "curve0")
    assert path[0, 1] == path[1, 1]  # flat, then straight up
    assert path[1, 0] == path[2, 0]
    assert path[2, 1] < path[1, 1]


def test_one_moment_of_one_value_can_be_drawn():
    curve = Curve("found", np.array([2.0]), np.array([0]))
    reader = read(ReportPage("Page", cameras=(CameraPart("yard", chart=Chart("Ids", (curve,))),)))
    assert len(reader.of("svg")) == 1


def test_ids_are_counted_in_every_picture_also_in_empty_ones():
    n = 5
    tracks = Tracks(
        camera="yard",
        frame_index=np.array([0, 0, 2, 2, 2]),
        t_s=np.array([0.0, 0.0, 0.0800001, 0.08, 0.0799999]),  # as files round
        number=np.array([1, 2, 1, 3, -1]),
        xyxy_px=np.zeros((n, 4)),
        score=np.ones(n),
        label=np.zeros(n, np.int64),
        detection=np.full(n, -1),
    )
    curve = Curve.of_ids("found", tracks, np.array([0.0, 0.04, 0.08, 0.12]))
    assert curve.n.tolist() == [2, 0, 2, 0]


def test_rows_become_one_trail_for_each_track():
    trails = Trail.each(np.array([5, 2, 5, -1]), np.array([[0.0, 0.0], [9.0, 9.0], [1.0, 1.0], [7.0, 7.0]]))
    assert [(trail.number, trail.xy_m.tolist()) for trail in trails] == [(2, [[9, 9]]), (5, [[0, 0], [1, 1]])]


def test_a_share_below_zero_draws_no_bar():
    assert Number.percent("MOTA", -0.3) == Number("MOTA", "-30.0 %", 0.0)


def test_only_what_several_cameras_have_stands_side_by_side():
    cameras = [CameraPart(name, numbers=(Number("ids", "3"), Number(f"of {name}", "1"))) for name in ("a", "b")]
    cameras.append(CameraPart("drone", numbers=(Number("off, median", "2 m"),)))
    reader = read(ReportPage("Yard", cameras=tuple(cameras)))
    assert "Camera ids a 3 b 3" in reader.words


def test_the_whole_site_comes_before_its_cameras():
    page = full()
    words = read(replace(page, ground=GroundMap(page.cameras[0].ground.truth, caption="The site."))).words
    assert words.index("The site.") < words.index("3 / 2")
