"""Files made to have others read for them."""

import cv2
import numpy as np
import pytest

from sightline.errors import SourceError
from sightline.sources.video import Video

from .conftest import X264_IPPP, encode


@pytest.fixture
def secret(tmp_path):
    """A sound video that the crafted file names."""
    (tmp_path / "private").mkdir()
    return encode(tmp_path / "private" / "secret.ts", **X264_IPPP, n=12)


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4"])
@pytest.mark.parametrize("how", ["absolute", "relative", "file"])
def test_playlists_are_not_followed(tmp_path, secret, name, how):
    named = {"absolute": secret, "relative": "private/secret.ts", "file": f"file://{secret}"}[how]
    (tmp_path / name).write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1,\n{named}\n#EXT-X-ENDLIST\n")
    with pytest.raises(SourceError, match=name):
        Video(tmp_path / name).about()


def test_scripts_are_not_followed(tmp_path, secret):
    assert secret.exists()
    (tmp_path / "all.mp4").write_text("ffconcat version 1.0\nfile private/secret.ts\n")
    with pytest.raises(SourceError, match=r"all\.mp4: not a file of video that is read here"):
        Video(tmp_path / "all.mp4").about()


def test_a_name_with_a_number_in_it_names_no_other_pictures(tmp_path):
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"im{i}.png"), np.full((16, 16, 3), 40 * i, np.uint8))
    (tmp_path / "im%d.png").write_bytes((tmp_path / "im0.png").read_bytes())
    with pytest.raises(SourceError):
        Video(tmp_path / "im%d.png").about()


def test_a_sound_file_is_read_as_ever(secret):
    assert sum(1 for _ in Video(secret).frames()) == 12
