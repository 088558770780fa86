"""A shelf of one's own, and a server on this machine that can misbehave."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BODY = bytes(range(256)) * 4096


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The folder of an empty shelf."""
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path / "shelf"))
    return tmp_path / "shelf"


class Answers(BaseHTTPRequestHandler):
    """``/ok`` gives the file; the others what their names say."""

    def do_GET(self):
        if self.path == "/absent":
            self.send_error(404)
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/ok")
            self.end_headers()
        elif self.path == "/unencrypted":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/ok")
            self.end_headers()
        else:
            self.send_response(200)
            if self.path != "/unsized":
                self.send_header("Content-Length", str(len(BODY) + (self.path == "/longer")))
            self.end_headers()
            self.wfile.write(BODY[: len(BODY) // 2] if self.path == "/cut" else BODY)
            if self.path == "/unsized":
                self.wfile.write(b"more")

    def log_message(self, *_words):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_words):
        """A client that hangs up, since what comes is not what it wants, is no error here."""


@pytest.fixture(scope="session")
def server():
    """The server's address."""
    with Server(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()
