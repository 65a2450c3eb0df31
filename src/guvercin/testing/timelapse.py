"""An event loop whose time passes only when nobody has anything left to do: a day costs what happens in it.

`asyncio.Runner(loop_factory=TimelapseLoop)` runs a program on it, and a LapseClock is that program's Clock.

Laws
1. Everything runs in one thread, what asks for another one included: the same program on the same seed takes the same
   turns, in every process.
2. Time stands still while anybody can go on. Then it moves to the next moment that somebody waits for.
3. Where nobody can go on and nobody waits for a moment, nothing would ever happen again: RuntimeError.
"""

import asyncio
import heapq
import math
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextvars import Context, copy_context
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar, TypeVarTuple

from guvercin.gateway.clock import SystemClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_MOMENT = 1e-6
"""Seconds that pass while everybody who can go on does."""


class _Call(asyncio.TimerHandle):
    """What is called later, without what asyncio's own handles keep for debugging: a day makes thousands."""

    __slots__ = ("args", "callback", "context", "is_cancelled", "moment")

    def __init__(self, callback: Callable[..., object], args: Any, context: Context | None, moment: float) -> None:
        self.callback = callback
        self.args = args
        self.context = copy_context() if context is None else context
        self.moment = moment
        self.is_cancelled = False

    def cancel(self) -> None:
        """Let it not be called."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        """Say whether it won't be called."""
        return self.is_cancelled

    def when(self) -> float:
        """Answer the moment of the call by the loop's time."""
        return self.moment

    def __repr__(self) -> str:
        return f"<{self.callback} at {self.moment}>"


class TimelapseLoop(asyncio.SelectorEventLoop):
    """A loop on a time of its own. It has no sockets, no signals, no subprocesses and no threads, and asks nobody.

    What is due at one moment is called in the order in which it was asked for.
    """

    def __init__(self) -> None:
        self._moment = 1000.0
        self._soon: deque[_Call] = deque()
        self._later: list[tuple[float, int, _Call]] = []
        self._order = count()
        self._tasks: dict[asyncio.Task[Any], None] = {}
        """Unfinished tasks in the order of their births. Whoever waits for ever is kept: no collector ends it."""
        self._runs = self._stops = False
        super().__init__()

    def time(self) -> float:
        """Answer this loop's time in seconds."""
        return self._moment

    def leap(self, seconds: float) -> None:
        """Let time pass at once, as if the whole process had been suspended: who has waited goes on after it."""
        self._moment += seconds

    # -- running

    def run_forever(self) -> None:
        """Run until `stop`."""
        before = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=self._end)
        asyncio._set_running_loop(self)  # noqa: SLF001 -- asyncio's own words for whoever makes a loop
        self._runs = True
        try:
            while not self._stops:
                self._turn()
        finally:
            self._runs = self._stops = False
            asyncio._set_running_loop(None)  # noqa: SLF001 -- as above
            sys.set_asyncgen_hooks(*before)

    def stop(self) -> None:
        """End `run_forever` after this turn."""
        self._stops = True

    def is_running(self) -> bool:
        """Say whether the loop runs."""
        return self._runs

    def _turn(self) -> None:
        """Call once everything that can be called now; where there is nothing, time passes first."""
        soon, later = self._soon, self._later
        while later and later[0][2].is_cancelled:
            heapq.heappop(later)
        if not soon:
            if not later:
                raise RuntimeError("every task waits for another one: nothing would ever happen again")
            # By the smallest step more: who counts from there what is left must not find that anything is.
            self._moment = math.nextafter(max(self._moment, later[0][0]), math.inf)
        while later and later[0][0] <= self._moment:
            soon.append(heapq.heappop(later)[2])
        for _ in range(len(soon)):
            call = soon.popleft()
            if not call.is_cancelled:
                try:
                    call.context.run(call.callback, *call.args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as trouble:  # noqa: BLE001 -- whoever handles the loop's troubles hears of it
                    self.call_exception_handler({"message": f"trouble in {call}", "exception": trouble})

    def _end(self, left: AsyncGenerator[Any, None]) -> None:
        self.call_soon(self.create_task, left.aclose())

    # -- calling

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call in the next turn."""
        call = _Call(callback, args, context, self._moment)
        self._soon.append(call)
        return call

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call after so many seconds."""
        return self.call_at(self._moment + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call at a moment of this loop's time."""
        call = _Call(callback, args, context, when)
        heapq.heappush(self._later, (when, next(self._order), call))
        return call

    def create_task(self, coro: Generator[Any, None, T] | Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:
        """Create a task, and remember it until it has ended."""
        task = asyncio.Task(coro, loop=self, **options)
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
