"""The list of cameras in the documentation is the one in the code."""

from pathlib import Path

from sightline.locators.cameras import focal_35mm_of, names

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cameras.md"


def test_every_camera_is_listed_beside_its_focal_length():
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if " mm | " in line]
    listed = {name.strip(): float(row[1].split()[0]) for row in rows for name in row[2].split(",")}
    assert listed == {name: focal_35mm_of(name) for name in names()}
