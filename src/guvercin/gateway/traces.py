"""Traces for those who watch: each message's way, posted to the owner's collector as OTLP/HTTP in JSON.

Laws
1. Nothing waits for a collector: traces are read from the event table after the fact, and one that takes nothing costs
   traces, never messages.
2. What happened while no collector took anything for SPAN events is left out: the log has it all the same.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson

from guvercin import __version__
from guvercin.core.trace import ENDS, Span, otlp, spans
from guvercin.gateway.couriers import Calls
from guvercin.store.store import Store

SPAN = 10_000
"""Events that are waited with while the collector takes nothing."""

_AT_ONCE = 500
_LOOK_EVERY = timedelta(seconds=2)
_AFTER_TROUBLE = timedelta(seconds=30)

_log = logging.getLogger(__name__)


class Traces:
    """Follows the events from its first step on, and posts what they tell."""

    def __init__(self, *, store: Store, url: str, token: str | None, open_way: Callable[[], Calls]) -> None:
        """Take the collector's address (`…/v1/traces`). The way out is opened with the first spans."""
        self._store = store
        self._url = url
        self._headers = {"content-type": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._open_way = open_way
        self._way: Calls | None = None
        self._cursor: int | None = None
        self._is_down = False

    async def step(self, now: datetime) -> datetime:
        """Post the spans of the next events; answers when to look again."""
        if self._cursor is None:
            self._cursor = await self._store.last_event_id()
        events = await self._store.events_after(self._cursor, limit=_AT_ONCE)
        if not events:
            return now + _LOOK_EVERY
        found: list[Span] = []
        for event in events:
            if event.message_id is not None and event.kind in ENDS:
                history = await self._store.events(event.message_id)
                if history:  # its message may have ended meanwhile
                    found += spans(history, event)
        if found and not await self._post(found):
            newest = await self._store.last_event_id()
            if newest - self._cursor > SPAN:
                self._cursor = newest
            return now + _AFTER_TROUBLE
        self._cursor = events[-1].id
        return now if len(events) == _AT_ONCE else now + _LOOK_EVERY

    async def _post(self, found: list[Span]) -> bool:
        self._way = self._way or self._open_way()
        called = await self._way.post(self._url, orjson.dumps(otlp(found, version=__version__)), self._headers)
        is_down = called.trouble is not None
        if is_down and not self._is_down:  # said once
            _log.warning("traces_not_taken", extra={"trouble": called.trouble and called.trouble.value})
        self._is_down = is_down
        return not is_down

    async def close(self) -> None:
        """Drop the connection, if there ever was one."""
        if self._way is not None:
            await self._way.close()
            self._way = None
