"""The days' counts, over SQL: what each verb promises stands in store/verbs/tally.py."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial

from guvercin.core.tally import DayCount, HourCount
from guvercin.store import leasing, tally
from guvercin.store.sql.database import Database
from guvercin.store.writer import Tx


class SqlTally(Database):
    """See guvercin.store.verbs.tally.Tally."""

    async def count_day(self, day: date, since: datetime, until: datetime) -> Sequence[DayCount]:
        return await self._read(partial(tally.count_day, day=day, since=since, until=until))

    async def keep_counts(self, day: date, counts: Sequence[DayCount], *, epoch: int = 0) -> None:
        def work(tx: Tx) -> None:
            if leasing.holds(tx, leasing.DUTY, epoch):
                tally.keep(tx, day, counts)

        await self._writer.do(work)

    async def mark_counted(self, cursor: int) -> None:
        await self._writer.do(lambda tx: tally.mark(tx, cursor))

    async def counted_to(self) -> int | None:
        return await self._read(tally.counted_to)

    async def touched(self, cursor: int, *, limit: int) -> tuple[int, Sequence[datetime]]:
        return await self._read(partial(tally.touched, cursor=cursor, limit=limit))

    async def first_message_at(self) -> datetime | None:
        return await self._read(tally.first_at)

    async def counts_between(self, first: date, last: date, *, monthly: bool = False) -> Sequence[DayCount]:
        return await self._read(partial(tally.between, first=first, last=last, monthly=monthly))

    async def count_hours(self, since: datetime, until: datetime) -> Sequence[HourCount]:
        return await self._read(partial(tally.count_hours, since=since, until=until))

    async def reads_by_hour(self, since: datetime, *, most: int) -> Mapping[datetime, int]:
        return await self._read(partial(tally.reads_by_hour, since=since, most=most))
