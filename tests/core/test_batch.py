"""What a batch waits for is told only when none of its rows is in line."""

from guvercin.core.batch import Counts
from guvercin.core.message import Status, WaitsFor


def test_rows_that_all_wait_tell_what_most_of_them_wait_for() -> None:
    waits = {WaitsFor.QUIET_HOURS: 3, WaitsFor.EARLIER: 1}
    assert Counts({Status.QUEUED: 4, Status.READ: 9}, waits=waits).waits_for is WaitsFor.QUIET_HOURS


def test_one_row_in_line_means_that_nothing_is_waited_for() -> None:
    assert Counts({Status.QUEUED: 5}, waits={WaitsFor.DAILY: 4}).waits_for is None
    assert Counts({Status.READ: 5}).waits_for is None
