"""The inbox, over SQL: what each verb promises stands in store/verbs/inbox.py."""

from datetime import datetime
from functools import partial

from guvercin.core.inbound import FileOfInbox, InboxFilter, InboxPage, Received
from guvercin.store import inbox
from guvercin.store.sql.database import Database


class SqlInbox(Database):
    """See guvercin.store.verbs.inbox.Inbox."""

    async def inbox(self, wanted: InboxFilter, *, limit: int, below: int | None) -> InboxPage:
        return await self._read(partial(inbox.page, wanted=wanted, limit=limit, below=below))

    async def received(self, message_id: int) -> Received | None:
        return await self._read(partial(inbox.one, message_id=message_id))

    async def file_of_inbox(self, message_id: int) -> FileOfInbox | None:
        return await self._read(partial(inbox.file, message_id=message_id))

    async def keep_file_of_inbox(self, message_id: int, digest: str) -> bool:
        return await self._writer.do(lambda tx: inbox.keep_file(tx, message_id, digest))

    async def unread(self, account_ids: frozenset[int] | None) -> int:
        return await self._read(partial(inbox.unread, account_ids=account_ids))

    async def mark_read(self, message_id: int, *, now: datetime) -> Received:
        return await self._writer.do(lambda tx: inbox.mark_read(tx, message_id, now=now))

    async def mark_all_read(self, wanted: InboxFilter, upto: int, *, now: datetime) -> int:
        return await self._writer.do(lambda tx: inbox.mark_all_read(tx, wanted, upto, now=now))
