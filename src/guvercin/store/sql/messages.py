"""The log of messages, over SQL: what each verb promises stands in store/verbs/messages.py."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from guvercin.core.errors import Code
from guvercin.core.event import Event, Standing
from guvercin.core.log import MessageFilter, Page, Tried
from guvercin.core.message import Message
from guvercin.store import messages, reading
from guvercin.store.hand import by_hand
from guvercin.store.sql.database import Database
from guvercin.store.statements.messages import STANDING
from guvercin.store.verbs.messages import Depth


class SqlMessages(Database):
    """See guvercin.store.verbs.messages.Messages."""

    async def message(self, message_id: int) -> Message | None:
        return await self._read(partial(reading.one_message, message_id=message_id))

    async def token_of(self, message_id: int) -> int:
        return await self._read(partial(reading.token_of, message_id=message_id))

    async def standing(self, message_id: int) -> Standing | None:
        def query(connection: Connection) -> Standing | None:
            row = by_hand(connection).execute(STANDING, (message_id,)).fetchone()
            return None if row is None else messages.standing(row)

        return await self._read(query)

    async def messages(self, wanted: MessageFilter, *, limit: int, below: int | None) -> Page:
        return await self._read(partial(reading.page, wanted=wanted, limit=limit, below=below))

    async def attempts(self, message_id: int) -> Sequence[Tried]:
        return await self._read(partial(reading.attempts, message_id=message_id))

    async def events(self, message_id: int) -> Sequence[Event]:
        return await self._read(partial(reading.events, message_id=message_id))

    async def events_after(self, cursor: int, *, limit: int) -> Sequence[Event]:
        return await self._read(partial(reading.events_after, cursor=cursor, limit=limit))

    async def last_event_id(self) -> int:
        return await self._read(reading.last_event_id)

    async def depths(self) -> Sequence[Depth]:
        return await self._read(reading.depths)

    async def cancel(self, message_id: int, *, now: datetime) -> Standing:
        return await self._writer.do(lambda tx: messages.cancel(tx, message_id, now=now))

    async def cancel_reference(self, reference: str, accounts: frozenset[int] | None, *, now: datetime) -> int:
        return await self._writer.do(lambda tx: messages.cancel_reference(tx, reference, accounts, now=now))

    async def give_up(self, message_id: int, reason: Code, *, now: datetime) -> Standing:
        return await self._writer.do(lambda tx: messages.give_up(tx, message_id, reason, now=now))

    async def release(self, message_id: int, *, now: datetime) -> Standing:
        self._line_ms(now)  # as in release_due
        return await self._writer.do(lambda tx: messages.release(tx, message_id, now=now))
