"""A worker has an account's session for a time, and alone: with the real engine, against the test server."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest
from tests.transports.web.bedside import SHORT, Bedside, Linked, until

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import Accepted, LineEvent, NeverLeft, Unclear

pytestmark = pytest.mark.xdist_group("whatsapp")

HELD = LineEvent(news=LineNews.DROPPED, code=Code.SESSION_HELD)


async def test_a_session_that_another_still_holds_is_waited_for_in_words(
    side: Bedside, link: Callable[..., Linked]
) -> None:
    line = link(limits=replace(SHORT, open=3.0))
    await line.pair()
    await line.end()
    attempt = line.attempt(line.message(side.person()))
    lock = os.open(line.folder / "worker.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        await line.dial()
        await until(lambda: HELD in line.told)
        assert await line.web.find(attempt) == Unclear(), "whoever holds it may be sending this very message"
        assert line.device is not None
        assert line.device.connection is None
    finally:
        os.close(lock)
    await line.opened()
    assert await line.web.find(attempt) == NeverLeft()
    assert isinstance(await line.web.send(line.message(side.person())), Accepted)


class Lease:
    """Until when the account is ours, as a test says."""

    def __init__(self, side: Bedside) -> None:
        self._side = side
        self._until = inf

    def lasts(self, seconds: float) -> None:
        self._until = self._side.clock.monotonic() + seconds

    def __call__(self) -> float | None:
        return None if self._until == inf else self._until


@pytest.fixture
def lease(side: Bedside) -> Lease:
    return Lease(side)


async def test_a_worker_of_which_nobody_hears_any_more_ends_with_its_time(
    side: Bedside, link: Callable[..., Linked], lease: Lease
) -> None:
    line = link(until=lease)
    await line.pair()
    lease.lasts(4.0)
    await line.dial()
    await line.opened()
    pid = line.pid
    lease.lasts(6.0)  # it is told of that in time
    assert isinstance(await line.web.send(line.message(side.person())), Accepted)
    ends_at = lease()
    assert (await line.farewell()).news is LineNews.DROPPED
    assert ends_at is not None
    assert side.clock.monotonic() >= ends_at
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_an_account_that_has_left_a_worker_takes_its_time_along(
    side: Bedside, link: Callable[..., Linked], lease: Lease
) -> None:
    """Several accounts in one process: one is handed over, and the others stay when its time is over."""
    workers, others = side.made_for(accounts_per_worker=3), Lease(side)
    leaving = link(workers=workers, until=lease)
    staying = [link(workers=workers, until=others) for _ in range(2)]
    for line in (leaving, *staying):
        await line.pair()
        await line.end()
    lease.lasts(5.0)
    others.lasts(60.0)
    for line in (leaving, *staying):
        await line.dial()
        await line.opened()
    pid = staying[0].pid
    assert {line.pid for line in (leaving, *staying)} == {pid}
    ends_at = lease() or inf
    await leaving.end()
    await side.clock.sleep_until(ends_at + 0.5)
    for line in staying:
        assert isinstance(await line.web.send(line.message(side.person())), Accepted)
    assert {line.pid for line in staying} == {pid}


async def test_a_worker_whose_time_is_over_never_connects(
    side: Bedside, link: Callable[..., Linked], lease: Lease
) -> None:
    line = link(until=lease)
    await line.pair()
    await line.end()
    lease.lasts(0.0)
    await line.dial()
    assert (await line.farewell()).news is LineNews.DROPPED
    assert not any(event.news is LineNews.OPENED for event in line.news())
    assert line.device is not None
    assert line.device.connection is None
    lease.lasts(60.0)
    await line.dial()
    await line.opened()
    assert isinstance(await line.web.send(line.message(side.person())), Accepted)
