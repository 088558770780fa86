"""``sightline simulate`` from outside."""

import json

import pytest
import typer
from typer.testing import CliRunner

from sightline.cli.simulate import simulate
from sightline.errors import OptionError

app = typer.Typer()
app.command()(simulate)
SHORT = ["--seconds", "0.4", "--fps", "5", "--cameras", "1", "--people", "2", "--size", "160x96"]


def test_it_says_what_it_wrote_and_what_to_try_next(tmp_path):
    ran = CliRunner().invoke(app, ["-o", str(tmp_path), *SHORT])
    assert ran.exit_code == 0
    assert (tmp_path / "cam1.mp4").stat().st_size > 1000
    assert "cam1.mp4" in ran.output
    assert "sightline track" in ran.output


def test_machines_get_json(tmp_path):
    ran = CliRunner().invoke(app, ["-o", str(tmp_path), *SHORT, "--json"])
    said = json.loads(ran.stdout)
    assert said["frames"] == 2
    assert sorted(said["files"]) == sorted(str(path) for path in tmp_path.iterdir())


@pytest.mark.parametrize("size", ["640", "640x", "x360", "640x360x3", "big"])
def test_a_size_that_is_none_is_named(size):
    with pytest.raises(OptionError, match="--size"):
        CliRunner().invoke(app, ["--size", size], catch_exceptions=False)
