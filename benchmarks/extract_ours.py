"""What benchmarks/extract.py runs for us: a script as a user would write it, and its start-up cost."""

import json
import sys
import time
from pathlib import Path

from sightline.formats.jpeg import JpegFolder
from sightline.pipeline.extract import extract
from sightline.sources.video import Video

started_cpu_s = time.process_time()
order = json.loads(sys.argv[1])
source = Video(Path(order["path"]), fps=float(order["fps"]), grid=order["grid"], parallel=order["parallel"])
with JpegFolder(Path(order["folder"]), quality=order["quality"]) as sink:
    extract(source.planes(), sink.put, n_lost=source.n_lost)
print(json.dumps({"startup": started_cpu_s, "bytes": sink.n_bytes()}))
