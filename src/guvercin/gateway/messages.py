"""Messages after they were accepted: where they stand, and what their owner decides about them."""

from dataclasses import replace

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Standing
from guvercin.core.log import MessageFilter, Page
from guvercin.core.message import IllegalOrder, Message, Status
from guvercin.core.token import Token
from guvercin.gateway.accounts import Accounts
from guvercin.gateway.clock import Clock
from guvercin.gateway.requests import History, Sent
from guvercin.store.store import Store


class Messages:
    """One business's messages. What a token can't see is NOT_FOUND."""

    def __init__(self, *, store: Store, accounts: Accounts, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock

    async def one(self, token: Token, log_id: int) -> tuple[Message, bool]:
        """Answer a message, and whether the sandbox carries it."""
        found = await self._store.message(log_id)
        if found is None or not token.sees(found.account_id):
            raise GuvercinError(Code.NOT_FOUND)
        return found, await self._accounts.is_sandbox(found.account_id)

    async def history(self, token: Token, log_id: int) -> History:
        """Answer a message with its attempts and events."""
        found, is_sandbox = await self.one(token, log_id)
        attempts = await self._store.attempts(log_id)
        events = await self._store.events(log_id)
        return History(message=found, is_sandbox=is_sandbox, attempts=attempts, events=events)

    async def asker(self, log_id: int) -> int:
        """Answer the id of the token that asked for a message. NOT_FOUND. Whoever asks has seen the message."""
        return await self._store.token_of(log_id)

    async def page(self, token: Token, wanted: MessageFilter, *, limit: int, below: int | None) -> Page:
        """Answer a page of the messages that this token sees."""
        seen = replace(wanted, account_ids=token.rules.account_ids)
        return await self._store.messages(seen, limit=limit, below=below)

    async def cancel(self, token: Token, log_id: int) -> Sent:
        """Withdraw a message that has not left; NOT_CANCELLABLE otherwise. Withdrawing twice is no error."""
        old, is_sandbox = await self.one(token, log_id)
        if old.status is Status.CANCELLED:
            return Sent(standing=standing_of(old), is_sandbox=is_sandbox)
        try:
            standing = await self._store.cancel(log_id, now=self._clock.now())
        except IllegalOrder as illegal:
            if illegal.status is Status.CANCELLED:  # somebody else was a little faster
                return Sent(standing=replace(standing_of(old), status=Status.CANCELLED), is_sandbox=is_sandbox)
            raise GuvercinError(Code.NOT_CANCELLABLE, log_id=log_id) from None
        return Sent(standing=standing, is_sandbox=is_sandbox)

    async def cancel_reference(self, token: Token, reference: str) -> int:
        """Withdraw everything of a reference that has not left; answers how many."""
        return await self._store.cancel_reference(reference.strip(), token.rules.account_ids, now=self._clock.now())

    async def give_up(self, token: Token, log_id: int) -> Sent:
        """Call a message in doubt failed, because its owner waits for no evidence any more; NOT_CANCELLABLE otherwise.

        A receipt that comes all the same still says the truth. Giving up twice is no error.
        """
        old, is_sandbox = await self.one(token, log_id)
        if old.status is Status.FAILED and old.reason is Code.GIVEN_UP:
            return Sent(standing=standing_of(old), is_sandbox=is_sandbox)
        try:
            standing = await self._store.give_up(log_id, Code.GIVEN_UP, now=self._clock.now())
        except IllegalOrder:
            raise GuvercinError(Code.NOT_CANCELLABLE, log_id=log_id) from None
        return Sent(standing=standing, is_sandbox=is_sandbox)

    async def release(self, token: Token, log_id: int) -> Sent:
        """Put a held message back in line."""
        _, is_sandbox = await self.one(token, log_id)
        return Sent(standing=await self._store.release(log_id, now=self._clock.now()), is_sandbox=is_sandbox)


def standing_of(message: Message) -> Standing:
    """Answer where a message stands, from its row."""
    return Standing(
        id=message.id,
        account_id=message.account_id,
        batch_id=message.batch_id,
        status=message.status,
        reason=message.reason,
        remote_id=message.remote_id,
        waits_for=message.waits_for,
    )
