"""What ends because its time is over, over SQL: what each verb promises stands in store/verbs/retention.py."""

from datetime import datetime

from guvercin.core.rights import Cause, Destruction
from guvercin.store import auditing, retention, rights
from guvercin.store.sql.database import Database


class SqlRetention(Database):
    """See guvercin.store.verbs.retention.Retention."""

    async def last_night(self) -> Destruction | None:
        return await self._read(retention.last)

    async def begin_destruction(self, *, now: datetime) -> int:
        return await self._writer.do(lambda tx: retention.begin(tx, now=now))

    async def destroy_contents(self, destruction_id: int, *, above: int, before: datetime) -> int | None:
        return await self._writer.do(lambda tx: retention.empty(tx, destruction_id, above=above, before=before))

    async def destroy_records(self, destruction_id: int, *, above: int, before: datetime) -> int | None:
        return await self._writer.do(lambda tx: retention.remove(tx, destruction_id, above=above, before=before))

    async def destroy_beside(self, destruction_id: int, *, before: datetime) -> bool:
        return await self._writer.do(lambda tx: retention.remove_beside(tx, destruction_id, before=before))

    async def shorten_audit(self, *, before: datetime, now: datetime, limit: int) -> int:
        return await self._writer.do(lambda tx: auditing.shorten(tx, before=before, now=now, limit=limit))

    async def end_destruction(self, destruction_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: retention.end(tx, destruction_id, now=now))

    async def log_destroyed_files(self, files: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: rights.log(tx, Cause.FILES, now=now, files=files, ended=True))
