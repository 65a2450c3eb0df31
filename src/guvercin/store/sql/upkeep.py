"""Upkeep, over SQL: what each verb promises stands in store/verbs/upkeep.py."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from guvercin.core.event import Standing
from guvercin.core.outcome import Accepted, NeverLeft
from guvercin.store import messages, reading, restricting, upkeep
from guvercin.store.sql.database import Database
from guvercin.store.verbs.upkeep import Doubt, Due
from guvercin.store.writer import Tx


class SqlUpkeep(Database):
    """See guvercin.store.verbs.upkeep.Upkeep."""

    async def what_is_due(self, *, now: datetime) -> Due:
        return await self._read(partial(upkeep.what_is_due, now=now))

    async def release_due(self, *, now: datetime, limit: int) -> int:
        self._line_ms(now)  # what is released was due by now: newcomers stand behind it
        return await self._writer.do(lambda tx: messages.release_due(tx, now=now, limit=limit))

    async def expire(self, *, now: datetime, limit: int) -> int:
        return await self._writer.do(lambda tx: upkeep.expire(tx, now=now, limit=limit))

    async def check_deliveries(self, *, now: datetime) -> int:
        return await self._writer.do(lambda tx: restricting.check_deliveries(tx, now=now))

    async def recover(self, *, now: datetime, limit: int, accounts: Collection[int] | None = None) -> int:
        return await self._writer.do(lambda tx: upkeep.recover(tx, now=now, limit=limit, accounts=accounts))

    async def in_doubt(self, *, now: datetime, limit: int, accounts: Collection[int] | None = None) -> Sequence[Doubt]:
        return await self._read(
            lambda connection: upkeep.in_doubt(Tx(connection), now=now, limit=limit, accounts=accounts)
        )

    async def conclude(self, doubt: Doubt, evidence: Accepted | NeverLeft, *, now: datetime) -> Standing:
        return await self._writer.do(lambda tx: upkeep.conclude(tx, doubt, evidence, now=now))

    async def look_again(self, message_id: int, at: datetime | None) -> None:
        await self._writer.do(lambda tx: upkeep.look_again(tx, message_id, at))

    async def look_now(self, account_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: upkeep.look_now(tx, account_id, now=now))

    async def hold_unfinished(self, *, now: datetime) -> int:
        unseen = max(0, self._seen.read() - await self._read(reading.last_event_id))
        return await self._writer.do(lambda tx: upkeep.hold_unfinished(tx, now=now, unseen=unseen))

    async def is_older_copy(self) -> bool:
        return await self._read(reading.last_event_id) < self._seen.read()

    async def forget(self, *, now: datetime) -> None:
        await self._writer.do(lambda tx: upkeep.forget(tx, now=now))
