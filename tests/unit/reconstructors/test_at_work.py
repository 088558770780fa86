"""Work on several threads: told of in order, ended soon."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from sightline.errors import EngineError
from sightline.reconstructors.at_work import AtWork


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as threads:
        yield threads


def test_results_come_in_the_order_of_the_items_and_each_is_told_of(pool):
    told = []
    at_work = AtWork(pool, lambda *one: told.append(one), lambda: False)
    assert at_work.each("squares", lambda n: n * n, range(100)) == [n * n for n in range(100)]
    assert told == [("squares", n + 1, 100) for n in range(100)]


def test_work_in_the_middle_ends_when_somebody_wants_it_to(pool):
    begun, ended = Event(), []
    at_work = AtWork(pool, lambda *_: None, begun.is_set)

    def work(number):
        begun.set()
        try:
            while True:
                at_work.go_on()
                begun.wait(0.01)
        except EngineError:
            ended.append(number)
            raise

    with pytest.raises(EngineError, match="stopped"):
        at_work.each("waiting", work, range(40))
    pool.shutdown()
    assert 1 <= len(ended) <= 2


def test_what_goes_wrong_in_one_item_ends_the_others(pool):
    failed = Event()
    at_work = AtWork(pool, lambda *_: None, lambda: False)

    def work(number):
        if number == 0:
            failed.set()
            raise ValueError("no")
        while True:
            at_work.go_on()
            failed.wait(0.01)

    with pytest.raises(ValueError, match="no"):
        at_work.each("waiting", work, range(10))


def test_nothing_to_do_is_done_at_once(pool):
    assert AtWork(pool, lambda *_: None, lambda: True).each("nothing", abs, []) == []
