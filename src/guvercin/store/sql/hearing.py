"""What networks tell, over SQL: what each verb promises stands in store/verbs/hearing.py."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from guvercin.core.log import Unclear
from guvercin.core.optout import Replies
from guvercin.core.outcome import Inbound, Receipt, Told
from guvercin.store import hearing, messages, reading
from guvercin.store.sql.database import Database


class SqlHearing(Database):
    """See guvercin.store.verbs.hearing.Hearing."""

    async def receive(self, account_id: int, receipts: Sequence[Receipt], *, now: datetime) -> None:
        await self._writer.do(lambda tx: messages.receive(tx, account_id, receipts, now=now))

    async def receive_inbound(
        self, account_id: int, inbound: Inbound, *, now: datetime, replies: Replies | None = None
    ) -> None:
        await self.hear(account_id, (inbound,), now=now, replies=replies)

    async def hear(
        self, account_id: int, told: Sequence[Told], *, now: datetime, replies: Replies | None = None
    ) -> None:
        self._line_ms(now)  # an answer may be put in line
        await self._writer.do(lambda tx: hearing.hear(tx, account_id, told, now=now, replies=replies))

    async def unclear(self, account_id: int, *, limit: int) -> Sequence[Unclear]:
        return await self._read(partial(reading.unclear, account_id=account_id, limit=limit))
