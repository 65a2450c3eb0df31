"""The inbox: what people wrote to us, as those who run the business read it.

Laws
1. What a token can't see does not exist for it.
2. Reading here tells WhatsApp nothing: that is a verb of its own, for lines that have it (lines.py).
"""

from dataclasses import replace

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.inbound import InboxFilter, InboxPage, Received
from guvercin.core.token import Token
from guvercin.gateway.clock import Clock
from guvercin.store.store import Store


class Inbox:
    """The messages that came in to one business."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def page(self, token: Token, wanted: InboxFilter, *, limit: int, below: int | None) -> InboxPage:
        """Answer a page of what this token sees, newest first, with ids below `below`."""
        return await self._store.inbox(_seen(token, wanted), limit=limit, below=below)

    async def one(self, token: Token, message_id: int) -> Received:
        """Answer one message. NOT_FOUND."""
        found = await self._store.received(message_id)
        if found is None or not token.sees(found.account_id):
            raise GuvercinError(Code.NOT_FOUND)
        return found

    async def unread(self, token: Token) -> int:
        """Answer how many messages that this token sees nobody here has read."""
        return await self._store.unread(token.rules.account_ids)

    async def mark_read(self, token: Token, message_id: int) -> Received:
        """Write that somebody here has read a message; answers it. NOT_FOUND."""
        await self.one(token, message_id)
        return await self._store.mark_read(message_id, now=self._clock.now())

    async def mark_all_read(self, token: Token, wanted: InboxFilter, upto: int) -> int:
        """Write that everything of a filter was read, up to a message: what came since is not. Answers how many."""
        return await self._store.mark_all_read(_seen(token, wanted), upto, now=self._clock.now())


def _seen(token: Token, wanted: InboxFilter) -> InboxFilter:
    return replace(wanted, account_ids=token.rules.account_ids)
