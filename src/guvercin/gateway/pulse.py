"""Whether messages can be accepted now: found out by writing for real, however many ask and however long that takes.

Anybody may ask, so asking must cost next to nothing. Laws
1. One write at a time, and none within FRESH of the answer before: it serves everybody.
2. Nobody waits longer than LIMIT. A database that somebody else holds is not ready, and hears no second question
   before it has answered the first.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from guvercin.core.errors import Code, GuvercinError
from guvercin.gateway.clock import Clock
from guvercin.gateway.requests import Readiness

FRESH = 1.0
"""Seconds for which an answer is believed."""

LIMIT = 1.5
"""Seconds that a write may take: whoever looks after servers gives up after two or more."""

_SILENT = Readiness(is_ready=False, troubles=(Code.STORE_UNAVAILABLE.value,))


class Pulse:
    """The last write of `check`, and what came of it. Belongs to one event loop."""

    def __init__(self, check: Callable[[datetime], Awaitable[None]], clock: Clock) -> None:
        self._check = check
        self._clock = clock
        self._asked_at = self._answered_at = 0.0
        self._task: asyncio.Task[Readiness] | None = None
        self._is_over = asyncio.Event()

    async def feel(self) -> Readiness:
        """Say whether messages can be accepted, as it was found out less than FRESH ago."""
        now = self._clock.monotonic()
        if self._task is None or (self._task.done() and now - self._answered_at >= FRESH):
            self._asked_at = now
            self._is_over.clear()
            self._task = asyncio.create_task(self._look())
        if not self._task.done():
            await self._clock.wait(self._asked_at + LIMIT, self._is_over)
        return self._task.result() if self._task.done() else _SILENT

    async def _look(self) -> Readiness:
        try:
            await self._check(self._clock.now())
        except GuvercinError as trouble:
            return Readiness(is_ready=False, troubles=(trouble.code.value,))
        finally:
            self._answered_at = self._clock.monotonic()  # a disk that took two seconds has answered all the same
            self._is_over.set()
        return Readiness(is_ready=True)
