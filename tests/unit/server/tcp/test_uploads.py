"""Where uploads are on their way, and what is left of servers that were killed."""

import os
import signal
import subprocess
import sys

from sightline.server.tcp.uploads import incoming

HOLDING = """
import sys
from pathlib import Path
from sightline.server.tcp.uploads import incoming
with incoming(Path(sys.argv[1])) as folder:
    (folder / "video").write_bytes(b"half")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_there_for_a_while(tmp_path):
    with incoming(tmp_path / "in") as folder:
        assert list((tmp_path / "in").iterdir()) == [folder]
        assert (folder.stat().st_mode & 0o777, (tmp_path / "in").stat().st_mode & 0o777) == (0o700, 0o700)
        (folder / "sub").mkdir()
        (folder / "sub" / "video").write_bytes(b"half")
    assert not list((tmp_path / "in").iterdir())


def test_what_killed_servers_left_is_removed_and_what_running_ones_need_is_not(tmp_path):
    command = [sys.executable, "-c", HOLDING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            theirs = other.stdout.readline().strip()
            with incoming(tmp_path) as mine:
                assert {str(path) for path in tmp_path.iterdir()} == {theirs, str(mine)}
            os.kill(other.pid, signal.SIGKILL)
            other.wait(20)
            with incoming(tmp_path) as mine:
                assert list(tmp_path.iterdir()) == [mine]
        finally:
            other.kill()
