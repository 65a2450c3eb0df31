"""Batches, over SQL: what each verb promises stands in store/verbs/batches.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from guvercin.core.errors import Code
from guvercin.core.message import Message
from guvercin.store import batches, reading
from guvercin.store.sql.database import Database
from guvercin.store.verbs.batches import BatchRow, Rest


class SqlBatches(Database):
    """See guvercin.store.verbs.batches.Batches."""

    async def batch(self, batch_id: int) -> BatchRow | None:
        return await self._read(partial(reading.one_batch, batch_id=batch_id))

    async def batches(
        self, accounts: frozenset[int] | None, *, account_id: int | None, limit: int, below: int | None
    ) -> Sequence[BatchRow]:
        return await self._read(
            partial(reading.batches, accounts=accounts, account_id=account_id, limit=limit, below=below)
        )

    async def batch_messages(self, batch_id: int, *, above: int, limit: int) -> Sequence[Message]:
        return await self._read(partial(reading.batch_messages, batch_id=batch_id, above=above, limit=limit))

    async def batch_reasons(self, batch_id: int) -> Mapping[Code, int]:
        return await self._read(partial(reading.batch_reasons, batch_id=batch_id))

    async def batch_rests(self, batch_id: int) -> Rest:
        return await self._read(partial(reading.batch_rests, batch_id=batch_id))

    async def pause_batch(self, batch_id: int, *, now: datetime) -> None:
        await self._writer.do(partial(batches.pause, batch_id=batch_id, now=now))

    async def resume_batch(self, batch_id: int, *, now: datetime) -> None:
        await self._writer.do(partial(batches.resume, batch_id=batch_id, now=now))

    async def cancel_batch(self, batch_id: int, *, now: datetime) -> None:
        await self._writer.do(partial(batches.cancel, batch_id=batch_id, now=now))

    async def cancel_rest(self, *, now: datetime, limit: int) -> bool:
        return await self._writer.do(partial(batches.cancel_rest, now=now, limit=limit))

    async def rename_batch(self, batch_id: int, name: str | None) -> None:
        await self._writer.do(lambda tx: batches.rename(tx, batch_id, name))
