"""The only place that reads the computer's clocks."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from guvercin.transports.base import Clock as TransportClock

T = TypeVar("T")


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
