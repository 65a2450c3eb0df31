"""The night's work: what its time is over for is destroyed, a small part at a time.

Laws
1. Once a night, between 03:30 and 06:00 of the business's clock; a machine that is off by night does it by day.
2. Between two parts everybody else has a turn: a shop that sends at night waits for no destruction.
3. A stop in the middle costs nothing: the next step goes on, and the log of destructions has one row for the whole.
"""

import logging
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from guvercin.core.rights import Destruction, Keeping
from guvercin.store.store import Store

BEGINS, ENDS = time(3, 30), time(6)
"""The night, by the business's clock."""

LATEST = timedelta(hours=36)
"""After so long without a night's work it is done by day."""

PAUSE = timedelta(milliseconds=100)
"""Between two parts."""

_LOOK_EVERY = timedelta(minutes=1)
_AUDIT_AT_ONCE = 500

_log = logging.getLogger(__name__)


class Retention:
    """Destroys what is older than its owner keeps it."""

    def __init__(self, *, store: Store, keeping: Keeping, zone: ZoneInfo, started_at: datetime) -> None:
        self._store = store
        self._keeping = keeping
        self._zone = zone
        self._started_at = started_at
        self._now = self._looks_at = started_at
        self._work: AsyncIterator[None] | None = None

    async def step(self, now: datetime) -> datetime:
        """Do one part if it is time; answers when the next one is."""
        self._now = now
        if self._work is None:
            if now < self._looks_at:
                return self._looks_at
            self._looks_at = now + _LOOK_EVERY
            if not self._is_due(await self._store.last_night(), now):
                return self._looks_at
            self._work = self._night(now)
        try:
            await anext(self._work)
        except StopAsyncIteration:
            self._work = None
            return self._looks_at
        except BaseException:
            self._work = None  # begun anew by the next look
            raise
        return now + PAUSE

    def _is_due(self, last: Destruction | None, now: datetime) -> bool:
        if last is not None and last.ended_at is None:
            return True
        local = now.astimezone(self._zone)
        is_night = BEGINS <= local.time() < ENDS
        if last is None:
            return is_night or now - self._started_at >= LATEST
        is_done = last.began_at.astimezone(self._zone).date() == local.date()
        return (is_night and not is_done) or now - last.began_at >= LATEST

    async def _night(self, now: datetime) -> AsyncIterator[None]:
        """Do everything, a part for each step."""
        store, keeping = self._store, self._keeping
        destruction_id = await store.begin_destruction(now=now)
        yield
        if keeping.texts is not None:
            above: int | None = 0
            while above is not None:
                above = await store.destroy_contents(destruction_id, above=above, before=self._day(now - keeping.texts))
                yield
        if keeping.records is not None:
            before = self._day(now - keeping.records)
            above = 0
            while above is not None:
                above = await store.destroy_records(destruction_id, above=above, before=before)
                yield
            while await store.destroy_beside(destruction_id, before=before):
                yield
        if keeping.audit is not None:
            while await store.shorten_audit(before=now - keeping.audit, now=self._now, limit=_AUDIT_AT_ONCE):
                yield
        await store.end_destruction(destruction_id, now=self._now)
        await store.compact()
        _log.info("night_done", extra={"destruction": destruction_id})

    def _day(self, at: datetime) -> datetime:
        """Answer the midnight before a moment: a day is destroyed as a whole, so that no count of it is half."""
        return datetime.combine(at.astimezone(self._zone).date(), time.min, self._zone)
