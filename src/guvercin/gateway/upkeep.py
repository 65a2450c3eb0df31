"""What time does to messages, whether anybody looks or not: waits end, lifetimes end, doubts are looked into."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

from guvercin.core.account import Account, Kind, OnUnknown
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import IllegalOrder, Status
from guvercin.core.outcome import Unclear
from guvercin.gateway.access import Access
from guvercin.gateway.clock import Clock, within
from guvercin.gateway.files import Spool
from guvercin.gateway.leases import Alone, Leases
from guvercin.gateway.sessions import Sessions
from guvercin.store.store import Store
from guvercin.store.verbs.upkeep import Doubt, Due
from guvercin.transports.base import Attempt, KnowsWhatLeft

_POLL = timedelta(seconds=1)
_BATCH = 500
_DOUBTS = 50

DOUBT_LIMIT = timedelta(hours=1)
"""After this long without evidence the account's policy decides about a message in doubt."""

LOOK_LIMIT = 10.0
"""Seconds that a transport gets to look for evidence: whoever hangs here must not hold up everything else."""

_LOOK_LEAST = timedelta(seconds=5)
_LOOK_MOST = timedelta(minutes=10)
_TIDY_EVERY = 3_600.0
_CHECK_EVERY = 600.0
_KEEP_FILES = timedelta(days=7)
_WRITE_USE_EVERY = 30.0

_RESENDS = frozenset({Kind.SANDBOX, Kind.WEB})
"""Kinds for which an owner may choose that a message in doubt is sent again: elsewhere it would be paid for twice."""

_log = logging.getLogger(__name__)


class Upkeep:
    """The loop that tends every account's rows."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: Sessions,
        access: Access,
        spool: Spool,
        account: Callable[[int], Awaitable[Account | None]],
        resend: Callable[[int], Awaitable[None]],
        clock: Clock,
        leases: Leases | None = None,
    ) -> None:
        self._leases = leases or Alone()
        self._store = store
        self._sessions = sessions
        self._access = access
        self._spool = spool
        self._account = account
        self._resend = resend
        self._clock = clock
        self._tidied_at = self._use_written_at = self._checked_at = -math.inf

    async def step(self, now: datetime) -> datetime:
        """Do what is due; answers when to look again: at once while there is more."""
        due, is_on_duty = await self._store.what_is_due(now=now), self._leases.is_on_duty()
        is_more = is_on_duty and await self._end_waits(due, now)
        owned = self._leases.owned()  # a doubt is looked into where its account's traces are
        doubts = await self._store.in_doubt(now=now, limit=_DOUBTS, accounts=owned) if due.doubts else ()
        for doubt in doubts:
            await self._look_into(doubt, now)
        at = self._clock.monotonic()
        if at - self._use_written_at >= _WRITE_USE_EVERY:
            self._use_written_at = at
            await self._access.write_last_used()
        if is_on_duty and at - self._checked_at >= _CHECK_EVERY:
            self._checked_at = at
            await self._store.check_deliveries(now=now)
        if is_on_duty and at - self._tidied_at >= _TIDY_EVERY:
            self._tidied_at = at
            await self._tidy(now)
        return now if is_more or len(doubts) == _DOUBTS else now + _POLL

    async def _end_waits(self, due: Due, now: datetime) -> bool:
        """Do what is due for every account's rows; says whether there is more of it."""
        released = await self._store.release_due(now=now, limit=_BATCH) if due.waits else 0
        expired = await self._store.expire(now=now, limit=_BATCH) if due.lifetimes else 0
        is_cancelling = due.cancelled and await self._store.cancel_rest(now=now, limit=_BATCH)
        return bool(is_cancelling) or _BATCH in (released, expired)

    async def _look_into(self, doubt: Doubt, now: datetime) -> None:
        """Ask for evidence of one message; without any, ask again later or do what the account's owner chose."""
        if await self._is_settled(doubt, now):
            return
        age = now - doubt.started_at
        account = await self._account(doubt.account_id)
        if age >= DOUBT_LIMIT and account is not None:
            with suppress(IllegalOrder):  # news came in between, and settled it
                match account.on_unknown:
                    case OnUnknown.GIVE_UP:
                        await self._store.give_up(doubt.message_id, Code.GIVEN_UP, now=now)
                        return
                    case OnUnknown.RESEND if account.kind in _RESENDS:
                        await self._resend(doubt.message_id)
                        return
                    case _:
                        pass
        # Counted from the line's return too: what the network kept for us meanwhile comes within its first minute.
        opened_ago = age if account is None else now - max(doubt.started_at, account.line.since)
        again = now + min(max(min(age, opened_ago) / 2, _LOOK_LEAST), _LOOK_MOST)
        await self._store.look_again(doubt.message_id, again)

    async def _is_settled(self, doubt: Doubt, now: datetime) -> bool:
        """Ask the transport what it knows, and write that down. One that can't be asked or believed settles nothing."""
        transport = self._sessions.transport(doubt.account_id)
        if transport is None or not isinstance(transport, KnowsWhatLeft):
            return False
        attempt = Attempt(
            message_id=doubt.message_id,
            secret=doubt.secret,
            recipient=doubt.recipient,
            started_at=doubt.started_at,
        )
        try:
            evidence = await within(self._clock, LOOK_LIMIT, transport.find(attempt))
            if isinstance(evidence, Unclear):
                return False
            standing = await self._store.conclude(doubt, evidence, now=now)
        except GuvercinError:
            raise
        except Exception:  # noqa: BLE001 -- logged, and taken for what it must mean
            _log.exception("evidence_failed", extra={"account_id": doubt.account_id, "message_id": doubt.message_id})
            return False
        return standing.status is not Status.UNKNOWN  # it may have named a message that is another's

    async def _tidy(self, now: datetime) -> None:
        await self._store.forget(now=now)
        needed = await self._store.spool_digests()
        gone = await asyncio.to_thread(self._spool.sweep, keep=needed, older_than=_KEEP_FILES, now=now)
        if gone:
            await self._store.log_destroyed_files(gone, now=now)
