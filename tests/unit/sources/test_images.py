import cv2
import numpy as np
import pytest

from sightline.errors import SourceError
from sightline.sources.images import Images


def save(path, value, shape=(20, 30, 3), dtype=np.uint8):
    assert cv2.imwrite(str(path), np.full(shape, value, dtype))


def test_numbers_in_names_count_as_numbers(tmp_path):
    for number in (1, 2, 10, 9):
        save(tmp_path / f"frame_{number}.png", number)
    (tmp_path / "notes.txt").write_text("no image")
    frames = list(Images(str(tmp_path), fps=2.0).frames())
    assert [int(f.rgb[0, 0, 0]) for f in frames] == [1, 2, 9, 10]
    assert [f.moment.t_s for f in frames] == [0, 0.5, 1, 1.5]
    about = Images(str(tmp_path), fps=2.0).about()
    assert (about.name, about.width, about.height, about.n_frames) == (tmp_path.name, 30, 20, 4)
    assert (about.fps, about.duration_s) == (2, 2)


def test_a_glob_takes_what_it_matches(tmp_path):
    (tmp_path / "cam").mkdir()
    for name, value in (("a.png", 1), ("b.png", 2), ("b.jpg", 3)):
        save(tmp_path / "cam" / name, value)
    source = Images(str(tmp_path / "cam" / "*.png"))
    assert [int(f.rgb[0, 0, 0]) for f in source.frames()] == [1, 2]
    assert source.about().name == "cam"
    assert len(list(Images(str(tmp_path / "*" / "b.*")).frames())) == 2


def test_red_comes_first(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 4, 3), (0, 0, 200), np.uint8))
    assert next(Images(str(tmp_path)).frames()).rgb[0, 0].tolist() == [200, 0, 0]


@pytest.mark.parametrize(("shape", "dtype", "value"), [((9, 8), np.uint8, 77), ((9, 8, 3), np.uint16, 77 * 257), ((9, 8, 4), np.uint8, 77), ((9, 8), np.uint16, 77 * 257)])  # fmt: skip  # noqa: E501
def test_grey_deep_and_clear_images_become_8_bit_colour(tmp_path, shape, dtype, value):
    save(tmp_path / "a.png", value, shape, dtype)
    rgb = next(Images(str(tmp_path)).frames()).rgb
    assert rgb.dtype == np.uint8
    assert rgb.shape == (9, 8, 3)
    assert (rgb == 77).all()


def test_exif_orientation_is_applied(tmp_path):
    path = tmp_path / "a.jpg"
    save(path, 100)
    data = path.read_bytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    assert next(Images(str(tmp_path)).frames()).rgb.shape == (30, 20, 3)


def test_what_cannot_be_read_is_counted_and_keeps_its_place(tmp_path):
    for number in range(4):
        save(tmp_path / f"{number}.jpg", 50)
    (tmp_path / "1.jpg").write_bytes(b"nonsense")
    (tmp_path / "2.jpg").write_bytes((tmp_path / "3.jpg").read_bytes()[:-40])
    (tmp_path / "4.jpg").touch()
    source = Images(str(tmp_path))
    assert [f.moment.index for f in source.frames()] == [0, 3]
    assert source.n_lost() == 3


def test_nothing_to_read_is_told_in_one_line(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"nonsense")
    (tmp_path / "empty").mkdir()
    cases = {"bad": "none of its 1", "empty": "no images", "*.gif": "matches no", "none": "no such"}
    for pattern, words in cases.items():
        for act in (lambda s: list(s.frames()), lambda s: s.about()):
            with pytest.raises(SourceError, match=words):
                act(Images(str(tmp_path / pattern)))
    with pytest.raises(SourceError, match="fps"):
        Images(str(tmp_path), fps=0.0)
