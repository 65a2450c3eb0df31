"""The only place that reads the computer's clocks."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from guvercin.transports.base import Clock as TransportClock

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Clock(TransportClock, Protocol):
    """The time as the loops need it: a transport's clock that can also be woken early."""

    async def wait(self, until: float, bell: asyncio.Event) -> None:
        """Return once `monotonic()` has reached `until` or the bell rings, whichever comes first."""


class SystemClock:
    """The computer's clocks."""

    def now(self) -> datetime:
        """Answer the wall clock's time in UTC. It may jump either way."""
        return datetime.now(UTC)  # noqa: TID251 -- here it is made

    def monotonic(self) -> float:
        """Answer seconds that only grow."""
        return time.monotonic()  # noqa: TID251 -- here it is made

    async def sleep_until(self, monotonic: float) -> None:
        """Return once `monotonic()` has reached the given moment."""
        await asyncio.sleep(max(0.0, monotonic - self.monotonic()))  # noqa: TID251 -- here it is made

    async def wait(self, until: float, bell: asyncio.Event) -> None:
        """Return once `monotonic()` has reached `until` or the bell rings."""
        left = until - self.monotonic()
        if left <= 0 or bell.is_set():
            await asyncio.sleep(0)  # noqa: TID251 -- here it is made; a time-out that is over costs an exception
            return
        # As asyncio.timeout does it, and half as dear: every loop of the process waits here each second.
        task, is_over = asyncio.current_task(), False

        def end() -> None:
            nonlocal is_over
            is_over = True
            if task is not None:
                task.cancel()

        timer = asyncio.get_running_loop().call_later(left, end)
        try:
            await bell.wait()
        except asyncio.CancelledError:
            if task is None or not is_over or task.uncancel() > 0:  # somebody else's wish, or theirs too
                raise
        finally:
            timer.cancel()


TOLERANCE = timedelta(seconds=1)
"""By how much two wall clocks may differ before one of them is set: NTP keeps them closer."""


class CommonClock:
    """A wall clock that goes by another machine's, so that all gateways of one database have one time.

    What is planned, what has a lifetime, what is tried again: its moment is written by one gateway and read by another.
    The monotonic clock and every wait stay the own ones'.
    """

    def __init__(self, own: Clock) -> None:
        self._own = own
        self._ahead = timedelta(0)

    def compare(self, theirs: datetime, since: datetime) -> None:
        """Hear what the other clock showed at some moment between `since`, by this one, and now; follow it if need be.

        However long the answer was on its way, a clock that goes right is never set.
        """
        now = self.now()
        off = theirs - now if theirs > now else min(theirs - since, timedelta(0))
        if abs(off) > TOLERANCE:
            self._ahead += off
            _log.warning("clock_set", extra={"seconds": round(off.total_seconds(), 3)})

    def now(self) -> datetime:
        """Answer the time that all gateways go by, in UTC. It may jump either way."""
        return self._own.now() + self._ahead

    def monotonic(self) -> float:
        """Answer seconds that only grow."""
        return self._own.monotonic()

    async def sleep_until(self, monotonic: float) -> None:
        """Return once `monotonic()` has reached the given moment."""
        await self._own.sleep_until(monotonic)

    async def wait(self, until: float, bell: asyncio.Event) -> None:
        """Return once `monotonic()` has reached `until` or the bell rings."""
        await self._own.wait(until, bell)


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, but no longer than `seconds` by this clock: TimeoutError.

    Whoever gives up here, by time or by being cancelled, ends the work first and waits for its end: nothing lives on.
    """
    task = asyncio.ensure_future(work)
    is_over = asyncio.Event()
    task.add_done_callback(lambda _: is_over.set())
    try:
        await clock.wait(clock.monotonic() + seconds, is_over)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        trouble = None if task.cancelled() else task.exception()
    if task.cancelled():
        raise TimeoutError
    if trouble is not None:
        raise trouble
    return task.result()
