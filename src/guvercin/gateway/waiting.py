"""Callers that wait for what becomes of a message or a batch.

A commit's announcement ends a wait early; asking the store once a second ends it too, so a lost announcement costs a
second and never an answer. Whoever waits for one message that has stepped out of line asks the store at once: it may be
for longer than they want to wait.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta

from guvercin.core.event import Standing
from guvercin.core.message import FINISHED, Status
from guvercin.gateway.clock import Clock

_POLL = 1.0

IN_HAND = frozenset({Status.QUEUED, Status.SENDING, Status.UNKNOWN})
"""Where a caller that waits for one message still hopes for an answer: evidence may settle a doubt within its wait."""


class _Vigil:
    """One caller's wait: the bell that ends it, and the rows it has seen finish."""

    __slots__ = ("bell", "expected", "finished", "is_over")

    def __init__(self, expected: int) -> None:
        self.bell = asyncio.Event()
        self.expected = expected
        self.finished: set[int] = set()
        self.is_over = False

    def end(self) -> None:
        self.is_over = True
        self.bell.set()


class Waiting:
    """Who waits for what. Belongs to one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of_message: defaultdict[int, set[_Vigil]] = defaultdict(set)
        self._of_batch: defaultdict[int, set[_Vigil]] = defaultdict(set)
        self._is_over = False

    def tell(self, standing: Standing) -> None:
        """Hear that a message stands somewhere new."""
        for vigil in self._of_message.get(standing.id, ()):
            if standing.status not in IN_HAND:
                vigil.end()
            elif standing.waits_for is not None:
                vigil.bell.set()
        if standing.batch_id is None:
            return
        for vigil in self._of_batch.get(standing.batch_id, ()):
            if standing.status in FINISHED:
                vigil.finished.add(standing.id)
            else:  # a doubt that proved to be none
                vigil.finished.discard(standing.id)
            if len(vigil.finished) >= vigil.expected:
                vigil.end()

    def dismiss(self) -> None:
        """Send every waiting caller away with what is known now, and let nobody wait any more."""
        self._is_over = True
        for vigils in (*self._of_message.values(), *self._of_batch.values()):
            for vigil in vigils:
                vigil.bell.set()

    async def for_message(self, message_id: int, wait: timedelta, look: Callable[[], Awaitable[bool]]) -> None:
        """Return when there is nothing to wait for, the wait is over, or everyone is sent away.

        `look` asks the store whether it is: the message is out of our hands, or won't leave before the wait is over.
        """
        await self._wait(self._of_message, message_id, 1, wait, look)

    async def for_batch(
        self, batch_id: int, expected: int, wait: timedelta, look: Callable[[], Awaitable[bool]]
    ) -> None:
        """Return when a batch with `expected` open rows is finished, the wait is over, or everyone is sent away.

        `look` as for one message.
        """
        await self._wait(self._of_batch, batch_id, expected, wait, look)

    async def _wait(
        self,
        book: defaultdict[int, set[_Vigil]],
        key: int,
        expected: int,
        wait: timedelta,
        look: Callable[[], Awaitable[bool]],
    ) -> None:
        deadline = self._clock.monotonic() + wait.total_seconds()
        vigil = _Vigil(expected)
        book[key].add(vigil)
        try:
            while not self._is_over and (left := deadline - self._clock.monotonic()) > 0:
                await self._clock.wait(self._clock.monotonic() + min(left, _POLL), vigil.bell)
                if vigil.is_over:
                    return
                vigil.bell.clear()
                if await look():
                    return
        finally:
            book[key].discard(vigil)
            if not book[key]:
                del book[key]
