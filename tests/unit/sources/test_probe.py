import json

import pytest

from sightline.errors import SourceError
from sightline.sources.probe import probe

from .conftest import MPEG4, X264_B, X264_IPPP


def test_it_tells_what_a_file_is(clip):
    found = probe(clip("a.mp4", **X264_B))
    assert (found.codec, found.width, found.height, found.n_frames) == ("h264", 160, 96, 60)
    assert "mp4" in found.container
    assert (found.fps, found.header_fps, found.duration_s) == (pytest.approx(30), 30, 2)
    assert (found.is_variable, found.has_b_frames, found.keyframe_distance) == (False, True, 20)
    assert (found.pixel_format, found.pixel_aspect, found.rotation_deg) == ("yuv420p", "1:1", 0)
    assert (found.audio, found.warnings) == ([], [])
    assert found.bit_rate == pytest.approx(clip("a.mp4", **X264_B).stat().st_size * 4, rel=0.2)


def test_times_rounded_to_milliseconds_are_still_constant(clip):
    assert not probe(clip("a.mkv", **X264_B)).is_variable
    assert not probe(clip("a.ts", **X264_B)).is_variable
    assert not probe(clip("a.avi", **MPEG4)).is_variable


def test_variable_times_are_seen(clip):
    times = [*range(0, 1000, 40), 1900, 2600]
    found = probe(clip("vfr.mkv", **X264_B, n=len(times), times_ms=times, rate=25))
    assert found.is_variable
    assert found.fps == pytest.approx(26 / 2.6)


def test_pictures_in_order_have_no_b_frames(clip):
    found = probe(clip("p.mp4", **X264_IPPP, n=90))
    assert (found.has_b_frames, found.keyframe_distance) == (False, 30)


def test_a_cut_file_is_told(clip, tmp_path):
    whole = clip("f.mp4", **X264_B, n=120, container={"movflags": "faststart"}).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: int(len(whole) * 0.6)])
    warnings = " ".join(probe(tmp_path / "cut.mp4").warnings)
    assert "announced pictures are missing" in warnings


def test_repeated_times_are_told(clip, tmp_path):
    (tmp_path / "twice.ts").write_bytes(clip("a.ts", **X264_B).read_bytes() * 2)
    found = probe(tmp_path / "twice.ts")
    assert found.n_frames == 120
    assert any("60 pictures repeat a timestamp" in warning for warning in found.warnings)


def test_what_is_no_video_is_told(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SourceError, match=r"text\.mp4"):
        probe(tmp_path / "text.mp4")


@pytest.fixture
def command():
    import typer
    from typer.testing import CliRunner

    from sightline.cli.probe import probe as command

    app = typer.Typer()
    app.command()(command)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_prints_json_and_goes_on_after_a_bad_file(clip, tmp_path, command):
    (tmp_path / "text.mp4").write_text("no video")
    result = command(tmp_path / "text.mp4", clip("a.mp4", **X264_B), "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert [video["n_frames"] for video in told["videos"]] == [60]
    assert "text.mp4" in told["errors"][0]


def test_the_command_prints_a_table(clip, command):
    result = command(clip("a.mp4", **X264_B), clip("p.mp4", **X264_IPPP, n=90))
    assert result.exit_code == 0
    for words in ("h264", "160 x 96", "30.000 per second", "at most 20"):
        assert words in result.stdout
