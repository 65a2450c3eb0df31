"""The wall clock that gateways of one database share."""

from datetime import timedelta

import pytest

from guvercin.gateway.clock import TOLERANCE, CommonClock
from guvercin.testing.clock import ManualClock

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("minutes", [-7, 7])
def test_a_wall_clock_that_is_wrong_follows_the_other_and_waits_by_its_own(minutes: int) -> None:
    own = ManualClock()
    common = CommonClock(own)
    theirs = own.now() + timedelta(minutes=minutes)
    common.compare(theirs, common.now())
    assert common.now() == theirs
    own.advance(SECOND)
    assert (common.now(), common.monotonic()) == (theirs + SECOND, own.monotonic())
    common.compare(own.now(), common.now())  # theirs was set right
    assert common.now() == own.now()


def test_what_is_within_the_tolerance_is_left_alone() -> None:
    own = ManualClock()
    common = CommonClock(own)
    for off in (TOLERANCE, -TOLERANCE):
        common.compare(own.now() + off, common.now())
    assert common.now() == own.now()


def test_an_answer_that_was_long_on_its_way_sets_no_clock_that_goes_right() -> None:
    own = ManualClock()
    common = CommonClock(own)
    since = common.now()
    for told in (timedelta(0), 30 * SECOND, 60 * SECOND):  # told at once, in the middle, at the end of a minute
        late = ManualClock(start=since + 60 * SECOND)
        slow = CommonClock(late)
        slow.compare(since + told, since)
        assert slow.now() == late.now()
    own.advance(60 * SECOND)
    common.compare(since - 7 * SECOND, since)  # and one that goes wrong is set by what is sure
    assert common.now() == own.now() - 7 * SECOND
