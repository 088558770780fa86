"""What benchmarks/live.py runs as the cameras: GStreamer's RTSP server, with the system's own Python.

    /usr/bin/python3 benchmarks/live_server.py PORT FILE

Each client of rtsp://127.0.0.1:PORT/camN gets the file from its beginning, in real time.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

Gst.init(None)
port, path = sys.argv[1:]
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
for camera in range(64):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( filesrc location={path} ! qtdemux ! h264parse config-interval=1 ! rtph264pay name=pay0 pt=96 )"
    )
    server.get_mount_points().add_factory(f"/cam{camera}", factory)
server.attach(None)
GLib.MainLoop().run()
