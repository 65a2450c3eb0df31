"""The verbs that API, terminal and panel share.

Laws
1. A message is a row before it is a packet: `send` answers nothing good before its row is durable.
2. What a token can't see does not exist for it: NOT_FOUND, never «forbidden».
3. Nothing here sends. The dispatchers do; a caller may wait for them, and going away changes nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from zoneinfo import ZoneInfo

from guvercin.core.errors import Code
from guvercin.core.event import Event
from guvercin.core.token import Token
from guvercin.gateway.access import Access
from guvercin.gateway.accounts import Accounts
from guvercin.gateway.admission import Admission
from guvercin.gateway.attachments import Attachments
from guvercin.gateway.batches import Batches
from guvercin.gateway.bulk import Bulk
from guvercin.gateway.categories import Categories
from guvercin.gateway.clock import Clock
from guvercin.gateway.courses import hours_in
from guvercin.gateway.files import Files
from guvercin.gateway.hooks import Hooks
from guvercin.gateway.inbox import Inbox
from guvercin.gateway.lines import Lines
from guvercin.gateway.lists import Lists
from guvercin.gateway.messages import Messages
from guvercin.gateway.meta import Meta
from guvercin.gateway.obstacles import Obstacles
from guvercin.gateway.outlook import Outlook
from guvercin.gateway.pulse import Pulse
from guvercin.gateway.requests import Allowance, Figures, Readiness
from guvercin.gateway.rights import Elsewhere, Rights
from guvercin.gateway.sessions import Sessions
from guvercin.gateway.singles import Singles
from guvercin.gateway.uploads import Uploads
from guvercin.gateway.waiting import Waiting
from guvercin.gateway.wishes import Wishes
from guvercin.sealing import Seal
from guvercin.store.store import Store
from guvercin.store.verbs.messages import Depth
from guvercin.store.writer import Committed


class Gateway:
    """One business's gateway: each group of verbs has a room of its own, and here stands what is about the whole."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: Sessions,
        access: Access,
        files: Files,
        waiting: Waiting,
        clock: Clock,
        rng: Random,
        timezone: ZoneInfo,
        meta: Meta,
        hooks: Hooks,
        seal: Seal,
        elsewhere: Elsewhere | None = None,
        reaches_nobody: bool = False,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._access = access
        self._waiting = waiting
        self._clock = clock
        self._rng = rng
        hours = hours_in(timezone)
        self.accounts = Accounts(store=store, sessions=sessions, meta=meta, clock=clock, reaches_nobody=reaches_nobody)
        self.meta = meta
        self.categories = Categories(store=store, clock=clock)
        self.hooks = hooks
        self.outlook = Outlook(store=store, hours=hours, clock=clock)
        self.batches = Batches(store=store, accounts=self.accounts, outlook=self.outlook, clock=clock)
        self.lines = Lines(store=store, sessions=sessions, accounts=self.accounts, clock=clock)
        self.inbox = Inbox(store=store, clock=clock)
        self.attachments = Attachments(store=store, sessions=sessions, spool=files.spool, seal=seal)
        self.wishes = Wishes(store=store, accounts=self.accounts, spool=files.spool, clock=clock)
        self.rights = Rights(store=store, spool=files.spool, elsewhere=elsewhere or Elsewhere(), clock=clock)
        self.lists = Lists(store=store, clock=clock, rng=rng)
        self.messages = Messages(store=store, accounts=self.accounts, clock=clock)
        self._admission = Admission(store=store, sessions=sessions, hours=hours, clock=clock, timezone=timezone)
        self.uploads = Uploads(store=store, files=files, admission=self._admission, clock=clock, rng=rng)
        obstacles = Obstacles(store=store, accounts=self.accounts, clock=clock)
        self.singles = Singles(
            store=store,
            admission=self._admission,
            accounts=self.accounts,
            categories=self.categories,
            messages=self.messages,
            uploads=self.uploads,
            obstacles=obstacles,
            waiting=waiting,
            clock=clock,
        )
        self.bulk = Bulk(
            store=store,
            admission=self._admission,
            accounts=self.accounts,
            categories=self.categories,
            batches=self.batches,
            lists=self.lists,
            files=files,
            outlook=self.outlook,
            obstacles=obstacles,
            waiting=waiting,
            clock=clock,
        )
        self._pulse = Pulse(store.check, clock)
        self._at_close: list[Callable[[], None]] = []

    # -- who asks

    async def authenticate(self, secret: str | None) -> Token:
        """Answer whose secret this is. NO_TOKEN, INVALID_TOKEN."""
        return await self._access.authenticate(secret)

    async def open_pass(self, api_key: str, api_secret: str) -> tuple[str, datetime]:
        """Answer a pass of a day for a pair, and when it ends. INVALID_TOKEN."""
        return await self._access.open_pass(api_key, api_secret, self._rng.randbytes(32))

    async def end_pass(self, secret: str) -> bool:
        """End a pass; says whether it was one."""
        return await self._access.end_pass(secret)

    def spend(self, token: Token) -> Allowance | None:
        """Count one request against a token's limit; null for a token without one. TOO_MANY_REQUESTS."""
        return self._access.spend(token)

    # -- what happened

    async def events_after(self, cursor: int, *, limit: int) -> Sequence[Event]:
        """Answer what happened after an event, oldest first. Codes and ids alone: who asks looks the rest up."""
        return await self._store.events_after(cursor, limit=limit)

    async def last_event_id(self) -> int:
        """Answer the cursor of the newest event."""
        return await self._store.last_event_id()

    # -- operations

    async def ready(self) -> Readiness:
        """Say whether messages can be accepted now: what a write found out less than a second ago."""
        if self._admission.is_closing:
            return Readiness(is_ready=False, troubles=(Code.CLOSING.value,))
        return await self._pulse.feel()

    async def figures(self) -> Figures:
        """Answer what those who watch over the whole want to see beside the queues."""
        alerts = [alert for alert in await self._store.alerts() if alert.told_at is not None]
        uses = {account.id: await self.outlook.use(account) for account in await self.accounts.live()}
        return Figures(
            lags=await self._store.hook_lags(),
            tally=self.hooks.tally,
            alerts=alerts,
            unwritten=self._store.waiting,
            running=len(self._sessions.account_ids()),
            limits={account_id: use.limits for account_id, use in uses.items() if use is not None},
        )

    async def depths(self) -> Sequence[Depth]:
        """Answer every account's queue at a glance."""
        return await self._store.depths()

    def now(self) -> datetime:
        """Answer the time that this gateway lives by."""
        return self._clock.now()

    def close(self) -> None:
        """Accept nothing more and send waiting callers away with what is known."""
        self._admission.is_closing = True
        self._waiting.dismiss()
        self.hooks.dismiss()
        for act in self._at_close:
            act()

    def when_closing(self, act: Callable[[], None]) -> None:
        """Call `act` when nothing more is accepted: whoever keeps callers of its own lets them go."""
        self._at_close.append(act)

    def heard(self, committed: Committed) -> None:
        """Hear what a commit changed."""
        for standing in committed.standings:
            self._waiting.tell(standing)
        if committed.lines:
            self.accounts.forget()
        self.hooks.heard()
