"""A camera on 127.0.0.1: serves an H.264 file over RTSP by TCP, round and round, to all who ask; run it as a process.

    python rtsp_server.py PORT FILE [SPEED] [FAULT]

SPEED: how much faster than real time. FAULT: ``silent:N`` sends nothing after N pictures, ``keyless:N`` no keyframes
after N, ``close:N`` hangs up after N, ``jump:N`` lets timestamps go back after N, ``mute`` never answers.
"""

import base64
import socket
import struct
import sys
import threading
import time

import av
from av.bitstream import BitStreamFilterContext

MOST = 1400


def nals(data):
    """The NAL units of an Annex B packet."""
    at = data.find(b"\0\0\1")
    while at >= 0:
        end = data.find(b"\0\0\1", at + 3)
        yield data[at + 3 : end if end >= 0 else len(data)].rstrip(b"\0")
        at = end


def load(path):
    """(seconds to show it, seconds to send it, is keyframe, NAL units) of each picture; length; the parameter sets."""
    pictures = []
    with av.open(path) as file:
        stream = file.streams.video[0]
        annexb = BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in file.demux(stream):
            for out in annexb.filter(packet if packet.size else None):
                tick = float(out.time_base or stream.time_base)
                pictures.append((out.pts * tick, out.dts * tick, out.is_keyframe, list(nals(bytes(out)))))
    first = pictures[0][1]
    pictures = [(pts - first, dts - first, key, units) for pts, dts, key, units in pictures]
    sets = [unit for _, _, _, units in pictures for unit in units if unit[0] & 31 in {7, 8}][:2]
    return pictures, pictures[-1][1] + pictures[1][1], sets


def payloads(unit):
    """Of one NAL unit, cut where it is too long (RFC 6184, 5.8)."""
    if len(unit) <= MOST:
        yield unit
        return
    head, kind = unit[0] & 0xE0 | 28, unit[0] & 31
    for at in range(1, len(unit), MOST):
        flags = (at == 1) << 7 | (at + MOST >= len(unit)) << 6
        yield bytes([head, flags | kind]) + unit[at : at + MOST]


class Client(threading.Thread):
    def __init__(self, connection, clip, speed, fault):
        super().__init__(daemon=True)
        self.connection, self.clip, self.speed = connection, clip, speed
        self.fault, _, n = fault.partition(":")
        self.n_fault = int(n or 0)
        self.lock, self.sequence = threading.Lock(), 0

    def run(self):
        try:
            self.talk()
        except OSError:
            pass
        finally:
            self.connection.close()

    def talk(self):
        held = b""
        while received := self.connection.recv(4096):
            held = b"" if self.fault == "mute" else held + received
            while b"\r\n\r\n" in held and not held.startswith(b"$"):
                request, held = held.split(b"\r\n\r\n", 1)
                self.answer(request.decode())
            if held.startswith(b"$"):
                held = b""  # receiver reports; ours are small and come alone

    def answer(self, request):
        method = request.split(" ", 1)[0]
        sequence = next(line.split(":")[1].strip() for line in request.split("\r\n") if line.lower().startswith("cseq"))
        head, body = {"Session": "12345678"}, ""
        if method == "OPTIONS":
            head["Public"] = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"
        if method == "DESCRIBE":
            sets = ",".join(base64.b64encode(unit).decode() for unit in self.clip[2])
            body = (
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=gate\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\n"
                f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
                "a=control:track1\r\n"
            )
            head |= {"Content-Type": "application/sdp", "Content-Length": str(len(body))}
        if method == "SETUP":
            head["Transport"] = "RTP/AVP/TCP;unicast;interleaved=0-1"
        lines = [f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n"] + [f"{k}: {v}\r\n" for k, v in head.items()]
        with self.lock:
            self.connection.sendall(("".join(lines) + "\r\n" + body).encode())
        if method == "PLAY":
            threading.Thread(target=self.play, daemon=True).start()

    def play(self):
        pictures, length_s, _ = self.clip
        begin, n_sent, round_s, back_s = time.monotonic(), 0, 0.0, 0.0
        while True:
            for pts, dts, key, units in pictures:
                n_sent += 1
                if (delay := begin + (round_s + dts) / self.speed - time.monotonic()) > 0:
                    time.sleep(delay)
                if n_sent > self.n_fault:
                    if self.fault == "silent":
                        return
                    if self.fault == "close":
                        self.connection.shutdown(socket.SHUT_RDWR)
                        return
                    if self.fault == "keyless" and key:
                        continue
                    back_s = 1000.0 if self.fault == "jump" else 0.0
                try:
                    self.send(2000 + round_s + pts - back_s, units)
                except OSError:
                    return
            round_s += length_s

    def send(self, t_s, units):
        packets = [payload for unit in units for payload in payloads(unit)]
        out = b""
        for at, payload in enumerate(packets):
            marker = (at == len(packets) - 1) << 7
            self.sequence = (self.sequence + 1) & 0xFFFF
            stamp = round(t_s * 90_000) & 0xFFFFFFFF
            rtp = struct.pack(">BBHII", 0x80, 96 | marker, self.sequence, stamp, 0xCAFE) + payload
            out += struct.pack(">cBH", b"$", 0, len(rtp)) + rtp
        with self.lock:
            self.connection.sendall(out)


def main():
    port, path, speed, fault = int(sys.argv[1]), sys.argv[2], float((sys.argv[3:] or [1])[0]), (sys.argv[4:] or [""])[0]
    clip = load(path)
    server = socket.create_server(("127.0.0.1", port))
    sys.stdout.write(f"{server.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        Client(server.accept()[0], clip, speed, fault).start()


if __name__ == "__main__":
    main()
