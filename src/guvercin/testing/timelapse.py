"""An event loop whose time passes only when nobody has anything left to do: a day costs what happens in it.

`asyncio.Runner(loop_factory=TimelapseLoop)` runs a program on it, and a LapseClock is that program's Clock.

Laws
1. Everything runs in one thread, what asks for another one included: the same program on the same seed takes the same
   turns, in every process.
2. Time stands still while anybody can go on. Then it moves to the next moment that somebody waits for.
3. Where nobody can go on and nobody waits for a moment, nothing would ever happen again: RuntimeError.
"""

import asyncio
import math
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from guvercin.gateway.clock import SystemClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_MOMENT = 1e-6
"""Seconds that pass while everybody who can go on does."""


class _Lapse(selectors.SelectSelector):
    """Where an event loop would sleep until something happens: the time that it would have slept is over at once."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits for another one: nothing would ever happen again")
        # By the smallest step at least: where a moment lies on a timer's own, asyncio takes it for not yet come.
        self.moment = math.nextafter(self.moment + max(0.0, timeout), math.inf)
        return []


class TimelapseLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop on a time of its own. It has no sockets, no signals, no subprocesses and no threads."""

    def __init__(self) -> None:
        self._lapse = _Lapse()
        self._tasks: dict[asyncio.Task[Any], None] = {}
        """Unfinished tasks in the order of their births. Whoever waits for ever is kept: no collector ends it."""
        super().__init__(self._lapse)

    def time(self) -> float:
        """Answer this loop's time in seconds."""
        return self._lapse.moment

    def leap(self, seconds: float) -> None:
        """Let time pass at once, as if the whole process had been suspended: who has waited goes on after it."""
        self._lapse.moment += seconds

    def create_task(self, *args: Any, **options: Any) -> Any:
        """Create a task, and remember it until it has ended."""
        task = super().create_task(*args, **options)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return task

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Answer every unfinished task, oldest first: a set of tasks has an order that no seed decides."""
        return [task for task in self._tasks if not task.done()]

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call soon: there are no other threads."""
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 -- whichever it is, the work is done here
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Do the work at once; its asker hears of it a turn later."""
        told: asyncio.Future[T] = self.create_future()
        try:
            result = func(*args)
        except Exception as trouble:  # noqa: BLE001 -- its asker hears of it
            self.call_soon(_unless_gone, told, told.set_exception, trouble)
        else:
            self.call_soon(_unless_gone, told, told.set_result, result)
        return told

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- asyncio's words
        """Do nothing: no thread was ever started."""


class LapseClock(SystemClock):
    """The time of a TimelapseLoop, with a wall clock that can be set. It waits with SystemClock's own code."""

    def __init__(self, loop: TimelapseLoop, start: datetime = datetime(2026, 2, 23, 5, 0, tzinfo=UTC)) -> None:
        self._loop = loop
        self._start = start
        self._began = loop.time()

    def now(self) -> datetime:
        """Answer the wall clock's time."""
        return self._start + timedelta(seconds=self._loop.time() - self._began)

    def monotonic(self) -> float:
        """Answer the loop's time."""
        return self._loop.time()

    def advance(self, by: timedelta) -> None:
        """Move both clocks at once; who has waited for a moment in between goes on when the caller next awaits."""
        if by < timedelta(0):
            raise ValueError("time only grows; jump_wall moves the wall clock back")
        self._loop.leap(by.total_seconds())

    def jump_wall(self, by: timedelta) -> None:
        """Set the wall clock forward or back. Nobody wakes."""
        self._start += by

    async def elapse(self, by: timedelta) -> None:
        """Let time pass as it really does, with everybody's moment in its turn."""
        await self.sleep_until(self.monotonic() + by.total_seconds())

    async def settle(self) -> None:
        """Let everybody who can go on do so."""
        await self.sleep_until(self.monotonic() + _MOMENT)


def _unless_gone(told: asyncio.Future[Any], tell: Callable[[Any], None], what: object) -> None:
    if not told.done():
        tell(what)
