"""A worker's time: it ends by itself, and nothing that comes late prolongs it."""

from threading import Thread

import pytest

from guvercin.transports.web.deadline import Deadline


class Watch:
    """A clock that stands until it is set, and a process that ends."""

    def __init__(self) -> None:
        self.at = 100.0
        self.ends = 0
        self.deadline = Deadline(lambda: self.at, self.end)

    def end(self) -> None:
        self.ends += 1

    def looks(self) -> int:
        self.deadline.look()
        return self.ends


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_without_a_lease_there_is_no_end(watch: Watch) -> None:
    watch.deadline.set("1", None)
    watch.at = 10**9
    assert watch.looks() == 0


def test_the_time_runs_out_without_a_word(watch: Watch) -> None:
    watch.deadline.set("1", 110.0)
    watch.at = 109.9
    assert watch.looks() == 0
    watch.at = 110.0
    assert watch.looks() == 1


def test_each_word_moves_the_end(watch: Watch) -> None:
    watch.deadline.set("1", 110.0)
    watch.deadline.prolong("1", 115.0)
    watch.at = 114.0
    assert watch.looks() == 0
    watch.at = 115.0
    assert watch.looks() == 1


def test_a_word_that_was_long_on_its_way_prolongs_nothing(watch: Watch) -> None:
    """Gateway and worker are frozen together, with a word between them, and woken when its moment has passed."""
    watch.deadline.set("1", 105.0)
    watch.at = 300.0
    watch.deadline.prolong("1", 110.0)
    assert watch.looks() == 1


def test_the_first_that_is_over_ends_all(watch: Watch) -> None:
    watch.deadline.set("1", 110.0)
    watch.deadline.set("2", 105.0)
    watch.at = 106.0
    assert watch.looks() == 1


def test_an_account_that_has_left_ends_nothing_and_is_not_brought_back(watch: Watch) -> None:
    watch.deadline.set("1", 105.0)
    watch.deadline.set("1", None)
    watch.deadline.prolong("1", 105.0)
    watch.at = 200.0
    assert watch.looks() == 0


def test_somebody_waits_for_the_end(watch: Watch) -> None:
    """The thread that keeps the time: woken by a word, it sees that the time is over, and ends the process once."""
    keeper = Thread(target=watch.deadline.keep, daemon=True)
    keeper.start()
    watch.deadline.set("1", 10.0**6)
    assert watch.ends == 0
    watch.deadline.set("1", 99.0)
    keeper.join(20)
    assert (watch.ends, keeper.is_alive()) == (1, False)
