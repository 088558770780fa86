import pytest

from sightline.live.outage import Outage


class Clock:
    """Time that passes when told to."""

    def __init__(self):
        self.now_s = 50.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def outage(clock):
    return Outage("hearing", clock=clock)


def test_nothing_is_waited_for_while_all_is_well(outage):
    outage.ended()
    assert outage.left_s == 0.0


def test_pauses_double_up_to_two_seconds_and_begin_again(outage, clock):
    for _ in range(2):
        longest = 0.1
        for _ in range(9):
            outage.failed("why")
            assert longest / 2 <= outage.left_s <= longest + 1e-9
            clock.now_s += outage.left_s
            assert outage.left_s == pytest.approx(0.0, abs=1e-9)
            clock.now_s += 1e-6
            longest = min(2 * longest, 2.0)
        outage.ended()
        assert outage.left_s == 0.0


def test_failures_at_one_moment_count_as_one(outage, clock):
    for _ in range(50):
        outage.failed("why")
    assert outage.left_s <= 0.1


def test_beginning_and_end_are_said_once(outage, clock, caplog):
    for _ in range(5):
        outage.failed("cut off")
        clock.now_s += 3.0
    outage.ended()
    outage.ended()
    first, last = [record.message for record in caplog.records]
    assert first == "hearing failed, will be tried again: cut off"
    assert last == "hearing works again after 15.0 s"
