"""COLMAP is loaded so that it leaves signals to this program."""

import subprocess
import sys
from pathlib import Path

import sightline

PROGRAM = """
import os, signal
signal.signal(signal.SIGTERM, lambda *_: print("asked to end"))
import sightline.reconstructors.structure.quiet
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_program_that_was_asked_to_end_is_asked_still():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "asked to end\n", "")


def test_nobody_loads_it_in_another_way():
    source = Path(sightline.__file__).parent
    doors = {str(path.relative_to(source)) for path in source.rglob("*.py") if "import pycolmap" in path.read_text()}
    doors -= {path for path in doors if "from sightline.reconstructors.colmap import" in (source / path).read_text()}
    assert doors == {"reconstructors/colmap.py"}
