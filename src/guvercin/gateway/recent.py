"""Answers of the store that every request needs and that seldom change: remembered for a moment, asked for once.

Without it a crowd of requests asks the same question at the same instant, each time that the moment is over.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from guvercin.gateway.clock import Clock

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Recent(Generic[K, T]):
    """Answers of `ask`, believed for `fresh` seconds from the moment of the question. Belongs to one event loop.

    Who asks what is being asked already waits for that answer. A question that failed is not remembered; of more than
    `most` questions the oldest is forgotten.
    """

    def __init__(self, ask: Callable[[K], Coroutine[Any, Any, T]], *, clock: Clock, fresh: float, most: int) -> None:
        self._ask = ask
        self._clock = clock
        self._fresh = fresh
        self._most = most
        self._asked: dict[K, tuple[float, asyncio.Task[T]]] = {}

    def __len__(self) -> int:
        return len(self._asked)

    async def get(self, key: K) -> T:
        """Answer a question; raises what asking raises. A caller that goes away doesn't stop the others' answer."""
        at = self._clock.monotonic()
        asked_at, task = self._asked.get(key, (at, None))
        if task is None or at - asked_at >= self._fresh or _has_failed(task):
            self.forget(key)
            if len(self._asked) >= self._most:
                self.forget(next(iter(self._asked)))
            task = asyncio.ensure_future(self._ask(key))
            self._asked[key] = (at, task)
        return task.result() if task.done() else await asyncio.shield(task)

    def forget(self, key: K) -> None:
        """Believe no answer to a question that was asked before now."""
        self._asked.pop(key, None)

    def clear(self) -> None:
        """Believe no answer to any question that was asked before now."""
        self._asked.clear()


def _has_failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
