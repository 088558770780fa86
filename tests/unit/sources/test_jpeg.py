import cv2
import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.formats.jpeg import JpegFolder, comment_of, encoded, with_comment
from sightline.model.frame import Moment
from sightline.model.planes import Planes
from sightline.pipeline.extract import extract

from .conftest import MJPEG, X264_B, video

BT709 = {"codec": "libx264", "options": {"bf": "2", "g": "20", "x264-params": "colormatrix=bt709"}}


KINDS = {"601": ("a.mp4", X264_B), "709": ("g.mp4", BT709), "full range": ("b.avi", MJPEG)}


def run(source, folder, **options):
    return extract(source.planes(), folder.put, n_lost=source.n_lost, **options)


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2))


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_colours_are_those_of_the_video(clip, kind):
    name, codec = KINDS[kind]
    source = video(clip(name, **codec))
    expected = next(source.frames()).rgb
    got = decoded(encoded(next(source.planes()), 95))
    assert psnr(got, expected) > 33
    assert np.abs(got.astype(float).mean((0, 1)) - expected.mean((0, 1))).max() < 2


def test_black_and_white_reach_the_ends_of_the_range():
    grey = np.full((8, 8), 128, np.uint8)
    for luma, value in ((16, 0), (235, 255)):
        planes = Planes(Moment("cam", 0, 0.0), np.full((16, 16), luma, np.uint8), grey, grey, is_full_range=False)
        assert np.abs(decoded(encoded(planes, 95)).astype(int) - value).max() <= 1


def test_turned_views_are_encoded_as_they_stand():
    ramp = np.arange(64, dtype=np.uint8).reshape(1, 64).repeat(32, 0) * 4
    grey = np.full((16, 32), 128, np.uint8)
    for turn in (np.fliplr, np.flipud, np.transpose):
        for is_full in (False, True):
            planes = Planes(Moment("cam", 0, 0.0), turn(ramp), turn(grey), turn(grey), is_full)
            again = Planes(planes.moment, turn(ramp).copy(), turn(grey).copy(), turn(grey).copy(), is_full)
            assert encoded(planes, 90) == encoded(again, 90)


def test_a_video_becomes_numbered_files(clip, tmp_path):
    seen = []
    source = video(clip("a.mp4", **X264_B), fps=5)
    with JpegFolder(tmp_path / "new", quality=90) as folder:
        result = run(source, folder, on_picture=lambda planes: seen.append(planes.moment.index))
    files = sorted((tmp_path / "new").iterdir())
    assert [f.name for f in files] == [f"frame_{i:04d}.jpg" for i in range(1, 11)]
    assert folder.n_bytes() == sum(f.stat().st_size for f in files)
    assert (result.n_pictures, result.n_lost, result.last_t_s) == (10, 0, pytest.approx(1.8))
    assert seen == list(range(0, 60, 6))
    for file, frame in zip(files, source.frames(), strict=True):
        assert psnr(decoded(file.read_bytes()), frame.rgb) > 30


def test_what_cannot_be_written_is_told_in_one_line_and_leaves_no_half_file(clip, tmp_path):
    def spoiled():
        with JpegFolder(tmp_path / "out") as folder:
            (tmp_path / "out").rmdir()
            (tmp_path / "out").write_text("in the way")
            run(video(clip("a.mp4", **X264_B)), folder)

    with pytest.raises(FormatError, match=r"frame_0001\.jpg: cannot be written") as caught:
        spoiled()
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_last_failure_is_told_too(tmp_path):
    grey = np.full((8, 8), 128, np.uint8)
    planes = Planes(Moment("cam", 0, 0.0), np.zeros((16, 16), np.uint8), grey, grey, is_full_range=True)

    def spoiled():
        with JpegFolder(tmp_path / "out") as folder:
            (tmp_path / "out").rmdir()
            (tmp_path / "out").write_text("in the way")
            folder.put(planes)

    with pytest.raises(FormatError, match="cannot be written"):
        spoiled()


def test_bad_options(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FormatError, match="quality"):
        JpegFolder(tmp_path, quality=0)
    with pytest.raises(FormatError, match="file"):
        JpegFolder(tmp_path / "file")


def test_a_comment_is_carried_by_the_picture_and_changes_no_pixel():
    grey = np.full((16, 16), 128, np.uint8)
    data = encoded(Planes(Moment("cam", 0, 0.0), grey, grey[:8, :8], grey[:8, :8], is_full_range=True), 90)
    told = with_comment(data, '{"index": 7}')
    assert comment_of(told) == '{"index": 7}'
    assert np.array_equal(decoded(told), decoded(data))
    assert comment_of(with_comment(b"\xff\xd8\xff\xd9", "é")) == "é"
    assert comment_of(data) is None
    for broken in (
        b"",
        b"no picture",
        told[:4],
        b"\xff\xd8\xff\xfe\x00",
        b"\xff\xd8\xff\xfe\x00\x00",
        b"\xff\xd8\xff\xe0\x00\x00\x00",
    ):
        assert not comment_of(broken)
    with pytest.raises(FormatError):
        with_comment(data, "x" * 65534)
