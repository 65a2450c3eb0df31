"""The days' counts, kept true: a day whose messages moved is counted anew, from the messages themselves.

Laws
1. Nothing is added up: a count that is wrong once would be wrong for ever. What events say is only which day to count.
2. The counts may be thrown away at any time: without their mark every day is counted again.
3. Counting takes a twentieth of one reader at the most, however large the day is; a quarter while many days wait.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from guvercin.core.tally import DayCount, HourCount
from guvercin.gateway.clock import Clock
from guvercin.gateway.leases import Alone, Leases
from guvercin.store.store import Store

_EVENTS_AT_ONCE = 2_000
_LEAST_PAUSE = timedelta(seconds=2)
MOST_READ = 50_000
"""Messages in which the hours of reading are counted."""

_SHARE = 20
_SHARE_OF_MANY = 3
"""How many times as long as it worked it rests: after a day, and between many that wait (a first count, a restore)."""


class Tally:
    """Counts days for a business whose midnight is that of `zone`."""

    def __init__(self, *, store: Store, clock: Clock, zone: ZoneInfo, leases: Leases | None = None) -> None:
        """Take the leases by which counting is ours to do; null: this process is alone."""
        self._leases = leases or Alone()
        self._store = store
        self._clock = clock
        self._zone = zone
        self._cursor: int | None = None
        self._waiting: set[date] = set()
        self._is_marked = True

    async def step(self, now: datetime) -> datetime:
        """Count one day anew, if one has moved; answers when to look again."""
        began = self._clock.monotonic()
        await self._look(now)
        if self._waiting:
            day = max(self._waiting)  # today first: it is what people look at
            since, until = self._bounds(day)
            epoch = self._leases.duty_epoch()
            counts = await self._store.count_day(day, since, until)
            await self._store.keep_counts(day, counts, epoch=epoch)  # another one may have counted more since
            self._waiting.discard(day)
        if not self._waiting and not self._is_marked and self._cursor is not None:
            await self._store.mark_counted(self._cursor)
            self._is_marked = True
        spent = timedelta(seconds=self._clock.monotonic() - began)
        return now + (_SHARE_OF_MANY * spent if self._waiting else max(_LEAST_PAUSE, _SHARE * spent))

    async def _look(self, now: datetime) -> None:
        """Learn which days have moved since the last look."""
        if self._cursor is None:
            self._cursor = await self._store.counted_to()
        if self._cursor is None:
            self._cursor = await self._store.last_event_id()
            self._is_marked = False
            first = await self._store.first_message_at()
            if first is not None:
                self._waiting |= set(self._days(first, now))
            return
        cursor, moments = await self._store.touched(self._cursor, limit=_EVENTS_AT_ONCE)
        if cursor != self._cursor:
            self._cursor = cursor
            self._is_marked = False
            self._waiting |= {self.day_of(at) for at in moments}

    def day_of(self, at: datetime) -> date:
        """Answer the business's own date of a moment."""
        return at.astimezone(self._zone).date()

    def _days(self, first: datetime, last: datetime) -> Sequence[date]:
        start, end = self.day_of(first), self.day_of(last)
        return [start + timedelta(days=n) for n in range((end - start).days + 1)]

    def _bounds(self, day: date) -> tuple[datetime, datetime]:
        return (
            datetime.combine(day, time.min, self._zone),
            datetime.combine(day + timedelta(days=1), time.min, self._zone),
        )

    # -- reading

    async def between(self, first: date, last: date, *, monthly: bool = False) -> Sequence[DayCount]:
        """Answer the counts of the days from `first` to `last`; today's may be some seconds old.

        `monthly`: those of a month together, as of its first day.
        """
        return await self._store.counts_between(first, last, monthly=monthly)

    async def reading_hours(self, days: int) -> Sequence[int]:
        """Answer how many messages of so many days were read in each hour of the day, 0 to 23, by the business's clock.

        Among the newest MOST_READ alone, so that a long log is not slow to ask.
        """
        today = self.day_of(self._clock.now())
        since, _ = self._bounds(today - timedelta(days=days - 1))
        counted = [0] * 24
        for hour, n in (await self._store.reads_by_hour(since, most=MOST_READ)).items():
            counted[hour.astimezone(self._zone).hour] += n
        return counted

    async def hours(self, day: date) -> Sequence[HourCount]:
        """Answer a day's messages by the hour in which they were accepted."""
        return await self._store.count_hours(*self._bounds(day))
