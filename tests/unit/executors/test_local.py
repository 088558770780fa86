"""Work shared out among processes. What runs there must be importable, so it stands in a module of its own."""

import os
import time

import pytest

from sightline.errors import EngineError, OptionError
from sightline.executors.local import each

WORK = """
import os, time
from sightline.errors import OptionError

def double(item, tell, stopped):
    tell(f"item {item}", 1, 1)
    return 2 * item, os.getpid()

def wait(item, tell, stopped):
    tell("waiting", 0, None)
    while not stopped():
        time.sleep(0.05)
    return item

def refuse(item, tell, stopped):
    raise OptionError(f"no {item}")

def die(item, tell, stopped):
    os._exit(3)
"""


@pytest.fixture(scope="module")
def work(importable):
    with importable("some_work", WORK) as work:
        yield work


def never():
    return False


def quiet(*_):
    pass


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_and_reports_arrive(work, workers):
    told = []
    done = each(work.double, [3, 1, 2], workers=workers, tell=lambda *what: told.append(what), stopped=never)
    assert [twice for twice, _ in done] == [6, 2, 4]
    assert sorted(told) == [("item 1", 1, 1), ("item 2", 1, 1), ("item 3", 1, 1)]
    assert (os.getpid() in {pid for _, pid in done}) == (workers == 1)


def test_a_stop_ends_what_runs_and_leaves_out_what_waits(work):
    begun = []

    def tell(*_):
        begun.append(time.monotonic())

    done = each(work.wait, [1, 2, 3, 4], workers=2, tell=tell, stopped=lambda: bool(begun))
    assert len(done) < 4
    assert time.monotonic() - begun[0] < 10


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_come_out_as_they_are(work, workers):
    with pytest.raises(OptionError, match=r"no [12]"):
        each(work.refuse, [1, 2], workers=workers, tell=quiet, stopped=never)


def test_a_process_that_dies_is_told_in_one_line(work):
    with pytest.raises(EngineError, match="a worker process died"):
        each(work.die, [1, 2], workers=2, tell=quiet, stopped=never)
