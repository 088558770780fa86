"""Work in a process of its own: what comes back, and that nothing stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sightline.errors import EngineError, OptionError
from sightline.executors.apart import apart

WORK = """
import os, signal, subprocess, sys, time
from sightline.errors import OptionError

def double(item, tell, stopped):
    tell("doubling", 1, 1)
    return {"twice": 2 * item, "pid": os.getpid(), "group": os.getpgid(0)}

def refuse(item, tell, stopped):
    raise OptionError(f"no {item}")

def slip(item, tell, stopped):
    return item / 0

def overflow(item, tell, stopped):
    raise OSError(28, "No space left on device")

def leave(item, tell, stopped):
    os._exit(item)

def fall(item, tell, stopped):
    os.kill(os.getpid(), item)

def wait(item, tell, stopped):
    tell("waiting", 0, None)
    while not stopped():
        time.sleep(0.02)
    return "ended by itself"

def cling(pids, tell, stopped):
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pids.write_text(f"{os.getpid()} {other.pid}")
    tell("clinging", 0, None)
    while True:
        time.sleep(60)

def chatter(n, tell, stopped):
    for done in range(1, n + 1):
        tell("talking", done, n)
    return n
"""


@pytest.fixture(scope="module")
def work(importable):
    with importable("work_apart", WORK) as work:
        yield work


def never():
    return False


def quiet(*_):
    pass


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def all_gone(pids, within_s=5.0):
    end_s = time.monotonic() + within_s
    while not all(map(is_gone, pids)):
        if time.monotonic() > end_s:
            return False
        time.sleep(0.02)
    return True


def test_the_answer_comes_from_another_process_that_leads_its_group(work):
    told = []
    answer = apart(work.double, 4, tell=lambda *what: told.append(what), stopped=never)
    assert answer["twice"] == 8
    assert answer["pid"] == answer["group"] != os.getpid()
    assert told == [("doubling", 1, 1)]
    assert is_gone(answer["pid"])


def test_errors_with_a_name_come_out_as_they_are(work):
    with pytest.raises(OptionError, match="no water"):
        apart(work.refuse, "water", tell=quiet, stopped=never)


def test_a_fault_is_one_line_and_its_trace_goes_to_the_log(work, caplog):
    with pytest.raises(EngineError, match=r"^a fault of ours: ZeroDivisionError: division by zero$"):
        apart(work.slip, 1, tell=quiet, stopped=never)
    assert "return item / 0" in caplog.text


def test_a_full_disk_is_no_fault(work):
    with pytest.raises(EngineError, match=r"^No space left on device$"):
        apart(work.overflow, 1, tell=quiet, stopped=never)


def test_a_process_that_leaves_says_with_which_code(work):
    with pytest.raises(EngineError, match="exit code 3"):
        apart(work.leave, 3, tell=quiet, stopped=never)


@pytest.mark.parametrize(
    ("number", "says"), [(signal.SIGKILL, "SIGKILL; was there enough memory"), (signal.SIGSEGV, "SIGSEGV$")]
)
def test_a_process_that_is_killed_says_by_what(work, number, says):
    with pytest.raises(EngineError, match=says):
        apart(work.fall, int(number), tell=quiet, stopped=never)


def test_work_that_listens_ends_by_itself(work):
    begun = []
    answer = apart(work.wait, 1, tell=lambda *_: begun.append(time.monotonic()), stopped=lambda: bool(begun))
    assert answer == "ended by itself"
    assert time.monotonic() - begun[0] < 2.0


def test_work_that_does_not_listen_is_killed_with_all_it_started(work, tmp_path):
    begun, pids = [], tmp_path / "pids"
    with pytest.raises(EngineError, match="stopped"):
        apart(
            work.cling, pids, tell=lambda *_: begun.append(time.monotonic()), stopped=lambda: bool(begun), grace_s=0.3
        )
    assert time.monotonic() - begun[0] < 2.0
    assert all_gone(map(int, pids.read_text().split()))


def test_it_ends_with_the_process_that_asked(work, tmp_path):
    pids = tmp_path / "pids"
    script = tmp_path / "asks.py"
    script.write_text(
        "import pathlib, sys, work_apart\nfrom sightline.executors.apart import apart\n"
        "if __name__ == '__main__':\n"
        "    apart(work_apart.cling, pathlib.Path(sys.argv[1]), tell=lambda *_: print('on', flush=True),"
        " stopped=lambda: False)\n"
    )
    with subprocess.Popen([sys.executable, str(script), str(pids)], stdout=subprocess.PIPE) as asks:
        try:
            assert asks.stdout.readline() == b"on\n"
        finally:
            asks.kill()
    assert all_gone(map(int, pids.read_text().split()))


def test_reports_are_thinned_but_the_last_one_comes(work):
    told = []
    assert apart(work.chatter, 20_000, tell=lambda *what: told.append(what), stopped=never) == 20_000
    assert told[-1] == ("talking", 20_000, 20_000)
    assert len(told) < 200
