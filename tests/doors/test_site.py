"""``sightline site``: what is said of a file that somebody wrote."""

import json

import numpy as np

PX = [(100, 700), (1200, 690), (640, 650), (200, 560), (1100, 540), (700, 600), (400, 620), (900, 580)]


def text(points):
    lines = "\n".join(
        f'{{ px = [{x}, {y}], map = [{east:.3f}, {north:.3f}], name = "mark {i}" }},'
        for i, ((x, y), (east, north)) in enumerate(zip(PX, points, strict=True))
    )
    return (
        f'id = "yard"\nname = "The yard"\n[map]\nmetres_per_unit = 1.0\n'
        f'[[cameras]]\nid = "gate"\nvideos = ["gate.mp4"]\npoints = [\n{lines}\n]\n'
    )


def ground():
    """Where the pixels lie, for a camera that looks down a little."""
    down = np.array([[x - 640, 900, -(y - 360)] for x, y in PX]) / 900.0
    return down[:, :2] * (5.0 / -down[:, 2:])


def test_a_wrong_pair_is_named_with_how_far_it_is_off(here, tmp_path):
    points = ground()
    points[3] += (4.0, 0.0)
    (tmp_path / "site.toml").write_text(text(points))
    said = here("site", "check", "site.toml")
    assert said.returncode == 0
    assert "7 of 8" in said.stdout
    assert "gate: mark 3 is off by 4 m" in said.stdout
    assert "gate.mp4 is not there" in said.stdout
    told = json.loads(here("site", "check", "site.toml", "--json").stdout)
    assert told["cameras"][0]["pairs_used"] == 7
    assert told["cameras"][0]["miss_largest"] < 0.05


def test_a_mistake_is_one_line_and_exit_2(here, tmp_path):
    (tmp_path / "site.toml").write_text('id = "yard"\n[[cameras]]\nid = "a"\ncolour = 3\n')
    said = here("site", "check", "site.toml")
    assert said.returncode == 2
    assert "cameras[1].colour: is not known here" in said.stderr
    assert said.stderr.count("\n") == 1


def test_an_example_is_a_file_to_begin_with(sightline, tmp_path):
    said = sightline("site", "example", "campus")
    (tmp_path / "mine.toml").write_text(said.stdout)
    assert "has no points" in sightline("site", "check", "mine.toml").stdout
    assert "factory" in sightline("site", "example", "moon").stderr
