"""A web server that behaves as badly as it is told to."""

import http.server
import socketserver
import threading
import time
from collections import Counter
from urllib.parse import unquote

import pytest

VIDEO = bytes(range(256)) * 800
PUBLIC = "93.184.216.34"


class Server(http.server.ThreadingHTTPServer):
    """Remembers who asked for what; ``answers`` says how by path."""

    daemon_threads = True
    address_family = socketserver.socket.AF_INET

    def __init__(self, host, port, answers):
        super().__init__((host, port), Handler)
        self.answers = answers
        self.seen = []
        self.n_connected = 0

    def get_request(self):
        self.n_connected += 1
        return super().get_request()

    def handle_error(self, request, client_address):
        """Who hangs up on us is what the tests are about."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        self.close_connection = True
        self.server.answers[self.path.partition("?")[0]](self)

    def log_message(self, *_):
        pass

    def say(self, body=VIDEO, status=200, kind="video/mp4", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in ({"Content_Length": len(body)} | headers).items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)


def drip(handler):
    handler.say(b"", Content_Length=100_000)
    while True:
        handler.wfile.write(b"\x00")
        handler.wfile.flush()
        time.sleep(0.05)


def endless(handler):
    handler.say(b"", Content_Length=None)
    while True:
        handler.wfile.write(VIDEO)


def silent(handler):
    handler.say(VIDEO[:100], Content_Length=100_000)
    time.sleep(60)


def headers_without_end(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X: y\r\n")
        handler.wfile.flush()
        time.sleep(0.05)


ANSWERS = {
    "/video.mp4": lambda h: h.say(),
    "/unsaid.mp4": lambda h: h.say(Content_Length=None),
    "/text-type.ts": lambda h: h.say(kind="text/plain"),
    "/no-type": lambda h: h.say(kind=""),
    "/longer.mp4": lambda h: h.say(VIDEO + VIDEO, Content_Length=len(VIDEO)),
    "/cut-off.mp4": lambda h: h.say(VIDEO, Content_Length=len(VIDEO) + 1),
    "/huge.mp4": lambda h: h.say(VIDEO, Content_Length=10**15),
    "/negative.mp4": lambda h: h.say(VIDEO, Content_Length=-5),
    "/empty.mp4": lambda h: h.say(b""),
    "/page": lambda h: h.say(b"<!doctype html><html>", kind="text/html; charset=utf-8"),
    "/page.mp4": lambda h: h.say(b"<!doctype html><html>", kind="video/mp4"),
    "/list.m3u8": lambda h: h.say(b"#EXTM3U\n/etc/passwd\n", kind="application/vnd.apple.mpegurl"),
    "/list.mp4": lambda h: h.say(b"#EXTM3U\n#\x00\n/etc/passwd\n"),
    "/gzip.mp4": lambda h: h.say(b"\x1f\x8b" + VIDEO, Content_Encoding="gzip"),
    "/gone.mp4": lambda h: h.say(b"gone", status=404),
    "/private.mp4": lambda h: h.say(b"who?", status=401),
    "/drip.mp4": drip,
    "/endless.mp4": endless,
    "/silent.mp4": silent,
    "/headers.mp4": headers_without_end,
    "/nonsense.mp4": lambda h: h.wfile.write(b"\x00\x01\x02 nothing like HTTP\r\n\r\n"),
    "/relative.mp4": lambda h: h.say(b"", status=302, Location="video.mp4?a=1"),
    "/loop.mp4": lambda h: h.say(b"", status=301, Location="/loop.mp4"),
    "/nowhere.mp4": lambda h: h.say(b"", status=302),
    "/to": lambda h: h.say(b"", status=307, Location=unquote(h.path.partition("?")[2])),
}


@pytest.fixture
def serve():
    """Starts servers; all of them are stopped afterwards."""
    running = []

    def start(host="127.0.0.1", port=0, wrap=None):
        server = Server(host, port, ANSWERS)
        if wrap:
            server.socket = wrap(server.socket)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def names():
    """A resolver that knows some names, counts how often it is asked, and answers anew each time if told to."""

    class Names:
        def __init__(self):
            self.known = {}
            self.asked = Counter()

        def __call__(self, host):
            self.asked[host] += 1
            answers = self.known.get(host, [host])
            return [answers[min(self.asked[host], len(answers)) - 1]]

    return Names()
