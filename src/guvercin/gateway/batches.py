"""Batches after they were accepted: how far they are, when they end, and what their owner decides about them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from guvercin.core.account import Account, Kind, LineState
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Lane, Message, Status, WaitsFor
from guvercin.core.pacing import time_to_send
from guvercin.core.token import Token
from guvercin.gateway.accounts import Accounts
from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import Faults, check_word
from guvercin.gateway.obstacles import UNTIL_A_HUMAN_ACTS
from guvercin.gateway.outlook import Outlook, Prospect
from guvercin.gateway.requests import BatchView
from guvercin.store.store import Store
from guvercin.store.verbs.batches import BatchRow

CANCELLED_AT_ONCE = 500
"""Rows that are withdrawn in one change: other senders get their turn in between."""

LONGEST_NAME = 80

ROWS_AT_ONCE = 500
"""Rows of a report that are read and written together."""


class Batches:
    """One business's batches. What a token can't see is NOT_FOUND."""

    def __init__(self, *, store: Store, accounts: Accounts, outlook: Outlook, clock: Clock) -> None:
        self._store = store
        self._outlook = outlook
        self._accounts = accounts
        self._clock = clock

    async def one(self, token: Token, batch_id: int) -> BatchView:
        """Answer a batch, its counts and when it will be done."""
        found = await self._store.batch(batch_id)
        if found is None or not token.sees(found.batch.account_id):
            raise GuvercinError(Code.NOT_FOUND)
        return await self._view(found)

    async def page(
        self, token: Token, *, account_id: int | None, limit: int, below: int | None
    ) -> tuple[Sequence[BatchView], int | None]:
        """Answer batches that this token sees, newest first, and the id that the next page begins below."""
        found = await self._store.batches(token.rules.account_ids, account_id=account_id, limit=limit + 1, below=below)
        views = [await self._view(row) for row in found[:limit]]
        return views, views[-1].batch.id if len(found) > limit else None

    async def rows(self, batch_id: int) -> AsyncIterator[Sequence[Message]]:
        """Answer the rows of a batch in the order of its list, some at a time, each as it stands when it is read.

        The caller has asked for the batch itself before: here nobody is asked who it is.
        """
        above = 0
        while rows := await self._store.batch_messages(batch_id, above=above, limit=ROWS_AT_ONCE):
            yield rows
            above = rows[-1].id

    async def pause(self, token: Token, batch_id: int) -> BatchView:
        """Stop a batch; what is in hand finishes. Pausing twice, or a finished one, changes nothing."""
        if not (await self.one(token, batch_id)).counts.is_finished:
            await self._store.pause_batch(batch_id, now=self._clock.now())
        return await self.one(token, batch_id)

    async def resume(self, token: Token, batch_id: int) -> BatchView:
        """Let a paused batch go on; one that was cancelled stays so."""
        await self.one(token, batch_id)
        await self._store.resume_batch(batch_id, now=self._clock.now())
        return await self.one(token, batch_id)

    async def rename(self, token: Token, batch_id: int, name: str) -> None:
        """Call a batch something, or nothing. INVALID_FIELD."""
        faults = Faults()
        checked = check_word(faults, name, "name", LONGEST_NAME)
        faults.check()
        await self.one(token, batch_id)
        await self._store.rename_batch(batch_id, checked)

    async def cancel(self, token: Token, batch_id: int) -> BatchView:
        """Withdraw everything of a batch that has not left. Cancelling twice, or a finished one, changes nothing."""
        if not (await self.one(token, batch_id)).counts.is_finished:
            await self._store.cancel_batch(batch_id, now=self._clock.now())
            while await self._store.cancel_rest(now=self._clock.now(), limit=CANCELLED_AT_ONCE):
                pass
        return await self.one(token, batch_id)

    async def why_it_waits(self, view: BatchView) -> WaitsFor | Code | None:
        """Answer what stands in a batch's way, if anything does: its owner, its time, its account's line or rules."""
        if view.counts.is_finished:
            return None
        if view.batch.paused_at is not None:
            return view.batch.paused_code or WaitsFor.PAUSED
        if view.counts.scheduled and view.counts.scheduled == view.counts.of(Status.QUEUED):
            return WaitsFor.TIME
        account = await self._accounts.any(view.batch.account_id)
        if account is not None and not account.line.is_connected(self._clock.now()):
            return account.line.code or Code.LINE_DOWN
        return view.waits_for or view.counts.waits_for

    async def reasons(self, batch_id: int) -> Mapping[Code, int]:
        """Answer how many rows of a batch failed for which reason. The caller has asked for the batch itself before."""
        return await self._store.batch_reasons(batch_id)

    async def _view(self, found: BatchRow) -> BatchView:
        account = await self._accounts.any(found.batch.account_id)
        if account is None:
            return BatchView(batch=found.batch, counts=found.counts, finish_at=None, is_sandbox=False)
        now, is_moving = self._clock.now(), bool(found.left) and found.batch.paused_at is None
        ahead = await self._outlook.of_batch(account, found.batch.id) if is_moving else None
        return BatchView(
            batch=found.batch,
            counts=found.counts,
            finish_at=_finish_at(found, account, now) if ahead is None else _last(ahead, account, now),
            is_sandbox=account.kind is Kind.SANDBOX,
            waits_for=None if ahead is None else ahead.waits_for,
            waits_until=None if ahead is None else ahead.waits_until,
        )


def _last(ahead: Prospect, account: Account, now: datetime) -> datetime | None:
    """Answer when the last of what is ahead leaves; null while the line stands still."""
    started = starts(account, now, None)
    if started is None or not ahead.moments:
        return None
    return ahead.moments[-1] + (started - now)


def _finish_at(found: BatchRow, account: Account, now: datetime) -> datetime | None:
    """Forecast the end of a batch; null for one that is finished, or that nothing moves."""
    if not found.left or found.batch.paused_at is not None:
        return None
    return forecast(account, found.left, starts_at=found.starts_at, now=now)


def forecast(
    account: Account, left: Mapping[Lane, int], *, starts_at: datetime | None, now: datetime
) -> datetime | None:
    """Answer when an account will have sent what is left, from `starts_at` on; null while its line stands still."""
    start = starts(account, now, starts_at)
    return None if start is None else start + time_to_send(account.pace, left)


def starts(account: Account, now: datetime, starts_at: datetime | None) -> datetime | None:
    """Answer when an account can send next; null while its line stands still."""
    line = account.line
    if line.state in UNTIL_A_HUMAN_ACTS:
        return None
    if line.state is LineState.BANNED and line.until is None:
        return None
    banned_until = line.until if line.state is LineState.BANNED else None
    return max(moment for moment in (now, starts_at, banned_until) if moment is not None)
