"""Settings from everywhere they may come from."""

import json
from pathlib import Path

import pytest

from sightline.errors import OptionError
from sightline.settings import load


def test_what_is_given_wins_over_the_environment_and_that_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "site.toml"
    file.write_text('port = 1\nhost = "a"\nlog_level = "error"\n[video_pipeline]\nquality = 70\nkeep_count = 7\n')
    monkeypatch.setenv("SIGHTLINE_PORT", "2")
    monkeypatch.setenv("SIGHTLINE_HOST", "b")
    monkeypatch.setenv("SIGHTLINE_VIDEO_PIPELINE__QUALITY", "71")
    settings = load(file, port=3)
    assert (settings.port, settings.host, settings.log_level) == (3, "b", "error")
    assert (settings.video_pipeline.quality, settings.video_pipeline.keep_count) == (71, 7)


def test_lists_are_separated_by_commas_in_the_environment(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_FETCHING__PRIVATE_NETWORKS", "10.0.0.0/8, fd00::/8")
    monkeypatch.setenv("SIGHTLINE_FETCHING__MEDIA_FOLDERS", "/a,/b")
    fetching = load().fetching
    assert [str(network) for network in fetching.private_networks] == ["10.0.0.0/8", "fd00::/8"]
    assert fetching.media_folders == (Path("/a"), Path("/b"))


def test_the_older_name_of_the_volume_is_understood(monkeypatch, tmp_path):
    monkeypatch.setenv("OUTPUT_FOLDER", str(tmp_path))
    assert load().frames_folder() == tmp_path
    assert load(video_pipeline={"frames_folder": "/else"}).frames_folder() == Path("/else")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SIGHTLINE_PORT", "many", "setting port"),
        ("SIGHTLINE_LIMITS__BODY_BYTES", "much", "setting limits.body_bytes"),
        ("SIGHTLINE_FETCHING__PRIVATE_NETWORKS", "10.0.0.1/8", "setting fetching.private_networks"),
        ("SIGHTLINE_PROT", "1", "SIGHTLINE_PORT?"),
        ("SIGHTLINE_JOBS__HEVY", "1", "SIGHTLINE_JOBS__HEAVY?"),
    ],
)
def test_what_makes_no_sense_in_the_environment_is_named(monkeypatch, name, value, why):
    monkeypatch.setenv(name, value)
    with pytest.raises(OptionError) as caught:
        load()
    assert why in str(caught.value)


def test_a_secret_is_never_shown(monkeypatch):
    monkeypatch.setenv("SIGHTLINE_DATABASE", "postgresql://ann:hush@db/x")
    monkeypatch.setenv("SIGHTLINE_REDIS", "redis://:hush@cache/0")
    monkeypatch.setenv("SIGHTLINE_AUTH__SECRET", "hush" * 10)
    settings = load()
    assert "hush" not in json.dumps(settings.summary())
    assert "hush" not in repr(settings)
    assert settings.database_url() == "postgresql://ann:hush@db/x"
    assert settings.workflows_url() == settings.database_url()


def test_a_file_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "site.toml").write_text("port: 3")
    with pytest.raises(OptionError, match=r"site\.toml"):
        load(tmp_path / "site.toml")
