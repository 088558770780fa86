"""MISB packets: the values that the standard prints for its examples, and streams of them."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.flight_logs.klv import _KEY, Klv, _sets
from sightline.flight_logs.telling import log_name

EXAMPLE = {
    "heading": ("0502 71c2", 159.974365), "platform_pitch": ("0602 fd3d", -0.431531724),
    "platform_roll": ("0702 08b8", 3.40586566), "lat": ("0d04 5595b66d", 60.1768229669783),
    "lon": ("0e04 5b5360c4", 128.426759042045), "sea": ("0f02 c221", 14190.7195),
    "across": ("1002 cd9c", 144.571298), "azimuth": ("1204 724a0a20", 160.719211474396),
    "elevation": ("1304 87f84b86", -168.792324833941), "roll": ("1404 7dc55ece", 176.865437690572),
    "ellipsoid": ("4b02 c221", 14190.7195), "full_pitch": ("5a04 ff62e2f2", -0.431525184251),
}  # fmt: skip
"""Bytes and meaning, as printed in ST 0601."""


def packet(items, *, wrong=False):
    body = items + b"\x01\x02"
    whole = _KEY + bytes([len(body) + 2]) + body
    padded = whole + b"\0" * (len(whole) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded)) & 0xFFFF
    return whole + struct.pack(">H", total ^ wrong)


def flown(k, **more):
    """A packet in which the aircraft flies north, its camera 30 degrees right and 45 down."""
    items = {2: struct.pack(">Q", 1_700_000_000_000_000 + 100_000 * k), 5: struct.pack(">H", 8192)}
    items |= {6: struct.pack(">h", 0), 7: struct.pack(">h", 0), 13: struct.pack(">i", 2**30 + 100 * k)}
    items |= {14: struct.pack(">i", -(2**29)), 15: struct.pack(">H", 5000), 18: struct.pack(">I", 2**32 // 12)}
    items |= {19: struct.pack(">i", -(2**29)), 20: struct.pack(">I", 0)}
    return packet(b"".join(bytes([tag, len(value)]) + value for tag, value in items.items()), **more)


@pytest.mark.parametrize("name", EXAMPLE)
def test_items_mean_what_the_standard_prints(name):
    text, wanted = EXAMPLE[name]
    (row,) = _sets(packet(bytes.fromhex(text.replace(" ", ""))))
    assert row[name] == pytest.approx(wanted, rel=2e-6)


def test_a_file_of_packets_is_a_flight_and_damaged_ones_are_left_out(tmp_path):
    path = tmp_path / "a.klv"
    path.write_bytes(b"".join(flown(k, wrong=k == 3) for k in range(10)) + flown(11)[:40])
    flight = Klv().read(path)
    assert len(flight) == 9
    assert flight.utc_ns == 1_700_000_000_000_000_000
    np.testing.assert_allclose(np.diff(flight.t_s)[:2], 0.1, atol=1e-6)
    np.testing.assert_allclose(np.rad2deg(flight.gimbal.yaw_rad), 75.0, atol=0.01)
    np.testing.assert_allclose(np.rad2deg(flight.gimbal.pitch_rad), -45.0, atol=1e-6)
    np.testing.assert_allclose(np.rad2deg(flight.aircraft.yaw_rad), 45.0, atol=0.01)
    np.testing.assert_allclose(flight.height_sea_m, -900 + 5000 * 19900 / 65535)
    assert any("wrong checksum" in warning for warning in flight.warnings)


def test_packets_in_a_transport_stream_are_on_the_videos_time(tmp_path):
    path = tmp_path / "a.ts"
    with av.open(str(path), "w", format="mpegts") as out:
        video = out.add_stream("mpeg2video", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        data = out.add_data_stream("klv")
        data.time_base = Fraction(1, 90000)
        for k in range(20):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            picture.pts = k
            out.mux(video.encode(picture))
            packet = av.Packet(flown(k))
            packet.stream, packet.time_base, packet.pts, packet.dts = data, data.time_base, 3600 * k, 3600 * k
            out.mux(packet)
        out.mux(video.encode(None))
    assert log_name(path) == "klv"
    flight = Klv().read(path)
    assert flight.is_video_time
    np.testing.assert_allclose(flight.t_s, np.arange(20) / 25, atol=1e-6)
    assert flight.utc_ns == 1_700_000_000_000_000_000


def test_a_value_out_of_range_is_unknown():
    (row,) = _sets(packet(bytes.fromhex("06028000")))
    assert np.isnan(row["platform_pitch"])


def test_a_file_without_packets_is_refused(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FormatError, match="neither MISB packets"):
        Klv().read(path)


@pytest.mark.shared
def test_the_example_packets_hold_the_standards_values(shared):
    for name in ("DynamicOnlyMISMMSPacketData", "DynamicConstantMISMMSPacketData"):
        (row,) = _sets((shared / "data" / "geo" / "klv" / f"{name}.bin").read_bytes())
        assert row["lat"] == pytest.approx(EXAMPLE["lat"][1], abs=1e-9)
        assert row["azimuth"] == pytest.approx(EXAMPLE["azimuth"][1], abs=1e-6)
