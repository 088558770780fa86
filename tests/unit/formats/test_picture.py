"""Files of pictures: told from their first bytes, refused clearly, decoded the right way up."""

import struct

import numpy as np
import pytest
from PIL import Image

from sightline.errors import FormatError
from sightline.formats.exif import read
from sightline.formats.picture import decoded, look

SIZE = (60, 40)


def exif(**more):
    noted = Image.Exif()
    noted[0x10F], noted[0x110], noted[0x112] = "Acme", "X1\0", more.get("turn", 1)
    noted.get_ifd(0x8769)[0xA405] = 28
    place = noted.get_ifd(0x8825)
    place.update({1: "N", 2: (51.0, 30.0, 12.0), 3: "W", 4: (0.0, 7.0, 30.0), 5: b"\1", 6: 35.5})
    return noted


@pytest.fixture
def picture():
    """Red above, blue below."""
    rgb = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    rgb[:20, :, 0] = rgb[20:, :, 2] = 255
    return Image.fromarray(rgb)


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("a.jpg", "jpeg", {}),
        ("progressive.jpg", "jpeg", {"progressive": True}),
        ("a.png", "png", {}),
        ("lossy.webp", "webp", {}),
        ("exact.webp", "webp", {"lossless": True}),
        ("a.tif", "tiff", {}),
        ("a.bmp", "bmp", {}),
    ],
)
def test_every_kind_is_known_by_what_is_in_it(picture, tmp_path, name, kind, options):
    path = tmp_path / "named like nothing"
    picture.save(path, format={"jpg": "jpeg", "tif": "tiff"}.get(name[-3:], name.rpartition(".")[2]), **options)
    found = look(path, name)
    assert (found.kind, found.width, found.height, found.upright) == (kind, *SIZE, SIZE)
    rgb = decoded(path, name)
    assert rgb.shape == (40, 60, 3)
    assert np.abs(rgb[5, 5].astype(int) - [255, 0, 0]).max() < 12


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_pictures_are_turned_as_the_camera_says(picture, tmp_path, name):
    picture.save(tmp_path / name, exif=exif(turn=6), lossless=True)
    found = look(tmp_path / name, name)
    assert found.upright == (40, 60)
    rgb = decoded(tmp_path / name, name)
    assert rgb.shape == (60, 40, 3)
    assert rgb[30, 35, 0] > 200 > rgb[30, 5, 0]  # what was above is at the right


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_what_the_camera_noted_is_read(picture, tmp_path, name):
    picture.save(tmp_path / name, exif=exif())
    said = look(tmp_path / name, name).exif
    assert (said.camera, said.turn) == ("Acme X1", 1)
    assert said.focal_sides == pytest.approx(28 / 36)
    assert said.place == (pytest.approx(51 + 30 / 60 + 12 / 3600), pytest.approx(-7.5 / 60), pytest.approx(-35.5))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"<html><script>alert(1)</script></html>", "no picture"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(64), "HEIC is not read here; save it as JPEG"),
        (b"\x00\x00\x00\x18ftypavif" + bytes(64), "AVIF is not read here"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "cut off"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "cut off"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 60_000, 60_000) + bytes(20), "60000x60000"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 0, 5) + bytes(20), "without a size"),
        (b"\xff\xd8\xff\x00\x00\x00" + bytes(64), "without a size"),
        (b"II*\0" + b"\xff" * 40, "without a size"),
        (b"RIFF\0\0\0\0WEBPVP8X", "cut off"),
    ],
)
def test_what_is_no_picture_is_refused_and_says_why(tmp_path, content, why):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(FormatError, match=why) as caught:
        look(tmp_path / "x", "holiday.jpg")
    assert str(caught.value).startswith("holiday.jpg: ")
    assert str(tmp_path) not in str(caught.value)


def test_a_picture_that_is_cut_off_is_not_half_a_picture(picture, tmp_path):
    picture.resize((600, 400)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="cut off"):
        decoded(tmp_path / "a.jpg", "a.jpg")


def test_damaged_notes_say_nothing_and_end():
    good = exif().tobytes().removeprefix(b"Exif\0\0")
    rng = np.random.default_rng(0)
    for _ in range(500):
        data = bytearray(good)
        for at in rng.integers(0, len(data), 6):
            data[at] = rng.integers(0, 256)
        said = read(bytes(data[: rng.integers(0, len(data) + 1)]))
        assert said.turn in range(1, 9)
        assert said.focal_sides is None or said.focal_sides > 0
        assert said.place is None or (abs(said.place[0]) <= 90 and abs(said.place[1]) <= 180)
