"""Where pictures were taken, as people write it down."""

import pytest

from sightline.errors import FormatError
from sightline.formats.scenes import positions


@pytest.fixture
def read(tmp_path):
    """What a file with that text says."""

    def do(text):
        path = tmp_path / "where.csv"
        path.write_text(text, encoding="utf-8")
        return positions.read(path)

    return do


def test_metres_come_by_name(read):
    found = read("image,x,y,z\na.jpg,1,2.5,-3\n\nsub/b.jpg,0,0,1e1\n")
    assert found.by_name == {"a.jpg": (1.0, 2.5, -3.0), "sub/b.jpg": (0.0, 0.0, 10.0)}
    assert not found.are_on_earth


def test_columns_are_known_by_name_in_any_order(read):
    found = read("\ufeffalt, Longitude ,note,LAT,file\n12.5,7.25,hazy,51.5,a.jpg\n")
    assert found.by_name == {"a.jpg": (51.5, 7.25, 12.5)}
    assert found.are_on_earth


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", r"where\.csv: the first line is '', expected image,x,y,z in metres"),
        ("a.jpg,1,2,3\n", "the first line is 'a.jpg,1,2,3', expected image,x,y,z"),
        ("image,x,y\na.jpg,1,2\n", "expected image,x,y,z"),
        ("image,x,y,z\n", "no positions"),
        ("image,x,y,z\na.jpg,1,2\n", "line 2: 3 columns, expected 4"),
        ("image,x,y,z\na.jpg,1,2,high\n", "line 2: z is 'high', expected a number"),
        ("image,x,y,z\na.jpg,1,nan,2\n", "line 2: y is 'nan', expected a number"),
        ("image,lat,lon,alt\na.jpg,151.5,7,0\n", "line 2: lat is '151.5', expected a number"),
        ("image,x,y,z\na.jpg,1,2,3\na.jpg,1,2,3\n", "line 3: 'a.jpg' is there twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(read, text, why):
    with pytest.raises(FormatError, match=why):
        read(text)
