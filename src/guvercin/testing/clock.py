"""A clock that a test moves by hand: nothing sleeps, and a simulated week costs what its events cost.

Laws
1. Time moves only when the test says so; the wall clock and the monotonic one move together, save for `jump_wall`.
2. Sleepers wake in the order of their moments, those of the same moment in the order in which they lay down.
3. `advance` moves at once, `elapse` stops at every sleeper's moment on the way and lets it run there.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

_ROUNDING = 1e-6
"""Moments are sums of floats: what lies less than this many seconds ahead has come."""

_QUIET_TURNS = 5
"""Turns of the event loop with nothing to call in them, before the loop counts as settled: sockets come between."""

_MOST_TURNS = 20_000
"""A program that is still busy after so many turns will never settle by itself."""


class ManualClock:
    """A Clock for tests, for transports and loops alike. It belongs to one event loop and is not for threads."""

    def __init__(self, start: datetime = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> datetime:
        """Answer the wall clock's time."""
        return self._now

    def monotonic(self) -> float:
        """Answer seconds that only grow."""
        return self._monotonic

    async def sleep_until(self, monotonic: float) -> None:
        """Return once the test has moved the clock to that moment."""
        if monotonic <= self._monotonic:
            await _turn()
        else:
            await self._lie_down(monotonic)

    async def wait(self, until: float, bell: asyncio.Event) -> None:
        """Return once the test has moved the clock to that moment, or the bell rings."""
        if until <= self._monotonic or bell.is_set():
            await _turn()
            return
        woken = self._lie_down(until)
        ringing = asyncio.ensure_future(bell.wait())
        ringing.add_done_callback(lambda _: _wake(woken))
        try:
            await woken
        finally:
            ringing.cancel()
            await asyncio.wait([ringing])

    def advance(self, by: timedelta) -> None:
        """Move both clocks at once and wake everyone whose moment has come. They run when the caller next awaits."""
        if by < timedelta(0):
            raise ValueError("time only grows; jump_wall moves the wall clock back")
        self._now += by
        self._monotonic += by.total_seconds()
        while (due := self._next_moment()) is not None and due <= self._monotonic + _ROUNDING:
            self._monotonic = max(self._monotonic, due)
            heappop(self._sleepers)[2].set_result(None)

    def jump_wall(self, by: timedelta) -> None:
        """Set the wall clock forward or back, as an administrator or a time server does. Nobody wakes."""
        self._now += by

    async def elapse(self, by: timedelta) -> None:
        """Let time pass as it really does: stop at each sleeper's moment and settle there, then go on to the end."""
        end = self._monotonic + by.total_seconds()
        await self.settle()
        while (due := self._next_moment()) is not None and due <= end:
            self.advance(timedelta(seconds=max(0.0, due - self._monotonic)))
            await self.settle()
        self.advance(timedelta(seconds=max(0.0, end - self._monotonic)))
        await self.settle()

    async def settle(self) -> None:
        """Let the other tasks run until every one of them waits for something. Threads are not waited for.

        RuntimeError: they never came to rest.
        """
        quiet = 0
        for _ in range(_MOST_TURNS):
            await _turn()
            if _someone_can_go_on():
                quiet = 0
            else:
                quiet += 1
            if quiet == _QUIET_TURNS:
                return
        raise RuntimeError(f"tasks were still busy after {_MOST_TURNS} turns of the event loop")

    def _lie_down(self, until: float) -> asyncio.Future[None]:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (until, next(self._order), woken))
        return woken

    def _next_moment(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():  # a sleeper that was cancelled
            heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


async def _turn() -> None:
    await asyncio.sleep(0)  # noqa: TID251 -- one turn of the event loop, no time passes


def _someone_can_go_on() -> bool:
    """Say whether the running loop has anything to call in its next turn.

    It has no public name, and asyncio's own loops keep it here. Looking through all tasks would ask for those of other
    loops too, however many a process has left behind.
    """
    return bool(asyncio.get_running_loop()._ready)  # type: ignore[attr-defined]  # noqa: SLF001
