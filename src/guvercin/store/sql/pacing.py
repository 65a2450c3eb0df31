"""The rules of an account, over SQL: what each verb promises stands in store/verbs/pacing.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from guvercin.core.course import Course
from guvercin.core.message import Track
from guvercin.core.restriction import Restriction
from guvercin.store import pacing
from guvercin.store.sql.database import Database
from guvercin.store.statements.pacing import KEEP_TIME, LEFT_LATE
from guvercin.store.times import to_ms
from guvercin.store.verbs.pacing import Ledger, Waiting
from guvercin.store.writer import Tx


class SqlPacing(Database):
    """See guvercin.store.verbs.pacing.Pacing."""

    async def ledger(self, account_id: int, *, now: datetime) -> Ledger:
        return await self._read(lambda connection: pacing.ledger(Tx(connection), account_id, now=now))

    async def backlog(self, account_id: int, *, now: datetime) -> Sequence[Waiting]:
        return await self._read(lambda connection: pacing.backlog(Tx(connection), account_id, now=now))

    async def tracks_of(
        self, account_id: int, numbers: Sequence[str], *, is_of_customers: bool, now: datetime
    ) -> Mapping[Track, int]:
        def query(connection: Connection) -> Mapping[Track, int]:
            return pacing.tracks_of(Tx(connection), account_id, numbers, is_of_customers=is_of_customers, now=now)

        return await self._read(query)

    async def restrictions(self, account_id: int) -> Sequence[Restriction]:
        return await self._read(lambda connection: pacing.restrictions(Tx(connection), account_id))

    async def judge_again(self, account_id: int, course: Course, *, now: datetime, limit: int) -> int:
        self._line_ms(now)  # as in release_due
        return await self._writer.do(lambda tx: pacing.judge_again(tx, account_id, course, now=now, limit=limit))

    async def left_late(self, message_ids: Sequence[int], steady: int) -> None:
        def work(tx: Tx) -> None:
            for message_id in message_ids:
                tx.execute(LEFT_LATE, (steady, message_id))

        await self._writer.do(work)

    async def keep_time(self, account_id: int, steady: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: tx.execute(KEEP_TIME, (steady, to_ms(now), account_id)).rowcount)
