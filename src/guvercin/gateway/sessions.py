"""The lines of the accounts: which are wanted, which stand, and what their transports tell.

Laws
1. One run of a transport at a time; it never redials by itself, this loop does.
2. What a transport tells is stored before `emit` returns.
3. After a restart a wanted line begins by connecting, save a ban that isn't over and a state that only a human can end.
4. A ban is left by its moment: switching a line off and on does not shorten it.
5. Of an account that another gateway runs, or may run by now, nothing is dialled and nothing written.
6. Waiting to redial is measured on the monotonic clock: a wall clock that jumps doesn't keep a line down.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument

from guvercin.core.account import Account, Line, LineCause, LineNews, LineOrder, LineState, follow
from guvercin.core.audit import nobodys
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.outcome import (
    Acquainted,
    Inbound,
    LineEvent,
    Linked,
    NotUnderstood,
    NumberNews,
    Preference,
    Receipt,
    Restricted,
    TemplateNews,
    Told,
    TransportEvent,
)
from guvercin.core.pacing import Pace
from guvercin.core.retry import retry_at
from guvercin.gateway.clock import Clock
from guvercin.gateway.leases import Alone, Leases
from guvercin.gateway.loop import WEATHER
from guvercin.gateway.replies import replies
from guvercin.gateway.ways import put_away
from guvercin.sealing import Seal
from guvercin.store.store import Store
from guvercin.transports.base import Emit, Erases, Pairs, Transport

_POLL = timedelta(seconds=1)
_ELSEWHERE = timedelta(seconds=2)

_log = logging.getLogger(__name__)

_WANTS_A_RUN = frozenset({LineState.CONNECTING, LineState.CONNECTED})
_HAS_A_RUN = _WANTS_A_RUN | {LineState.PAIRING}
_UNLINK_LIMIT = 5.0
"""Seconds in which a line that was unlinked is seen to end."""

_REDIALS = 3
"""How far redials climb the schedule: a line that was down for hours is back within two minutes of the network."""

_SURVIVES_A_RESTART = frozenset({LineState.BANNED, LineState.BLOCKED, LineState.LOGGED_OUT})


def _after(line: Line, cause: LineCause, now: datetime, *, code: Code | None, until: datetime | None) -> Line:
    """Follow a cause. A ban runs on while its line is switched off, and stands again if that is over too early."""
    if cause is LineOrder.DISABLE and line.state is LineState.BANNED:
        until = line.until
    after = follow(line, cause, now, code=code, until=until)
    if cause is LineOrder.ENABLE and line.state is LineState.STOPPED and line.until is not None and now < line.until:
        return follow(after, LineNews.BANNED, now, code=Code.TEMPORARY_BAN, until=line.until)
    return after


def _elsewhere(account_id: int) -> GuvercinError:
    return GuvercinError(Code.ELSEWHERE, retry_after=_ELSEWHERE, params={"hesap": account_id})


def _not_ours(account_id: int, cause: LineCause) -> None:
    """Say nothing of a line that another gateway has: it tells of it. ELSEWHERE: an order is for that one to take."""
    if isinstance(cause, LineOrder):
        raise _elsewhere(account_id)


async def _let_go(transport: Transport) -> bool:
    """Unlink a phone that is linked; says whether WhatsApp knows that it isn't."""
    if isinstance(transport, Pairs) and await transport.is_linked():
        try:
            await transport.unlink()
        except GuvercinError:
            return False
    return True


async def _has_a_session_by_now(session: "_Session") -> bool:
    """Say whether a line that had no session has one now.

    It lay with a gateway that came later; or it was made in the moment in which the gateway or its database was lost.
    """
    transport, line = session.transport, session.line
    had_none = line.state is LineState.LOGGED_OUT and line.code in {None, Code.NOT_LINKED, Code.LINKING_FAILED}
    return had_none and isinstance(transport, Pairs) and await transport.is_linked()


@dataclass(slots=True)
class _Session:
    """One account's transport, its line as last heard, and the run that keeps it."""

    transport: Transport
    line: Line
    pace: Pace
    run: asyncio.Task[None] | None = None
    redials: int = 0
    redial_at: float = 0.0
    """On the monotonic clock."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    """Every account's session. The store is told of each change before anyone acts on it."""

    def __init__(
        self,
        store: Store,
        build: Callable[[Account], Transport],
        *,
        seal: Seal,
        clock: Clock,
        rng: Random,
        on_change: Callable[[int], None],
        leases: Leases | None = None,
    ) -> None:
        """Take how transports are made. Without `leases` every account is ours."""
        self._leases = leases or Alone()
        self._visited: dict[int, Transport] = {}
        """Transports of accounts that another gateway runs: to be asked what they can, and never dialled."""
        self._store = store
        self._seal = seal
        self._build = build
        self._clock = clock
        self._rng = rng
        self._on_change = on_change
        self._sessions: dict[int, _Session] = {}
        self._turn = asyncio.Lock()
        """Steps and orders take turns; news comes in between."""

    def transport(self, account_id: int) -> Transport | None:
        """Answer an account's transport; null before its first step and after its removal."""
        session = self._sessions.get(account_id)
        return self._visited.get(account_id) if session is None else session.transport

    async def meet(self, account_id: int) -> Transport:
        """Answer an account's transport, whether a step has seen the account yet or not. NOT_FOUND."""
        session = self._sessions.get(account_id)
        if session is None:
            async with self._turn:
                session = self._sessions.get(account_id) or await self._meet(account_id)
        return session.transport

    def account_ids(self) -> frozenset[int]:
        """Answer the accounts that have a session."""
        return frozenset(self._sessions)

    def pace(self, account_id: int) -> Pace:
        """Answer an account's pace as last read."""
        return self._sessions[account_id].pace

    def is_open(self, account_id: int) -> bool:
        """Say whether an account may send now."""
        session = self._sessions.get(account_id)
        return session is not None and session.line.state is LineState.CONNECTED

    async def order(self, account_id: int, order: LineOrder) -> None:
        """Do what the owner decided about a line. NOT_FOUND; IllegalLineOrder if its state doesn't allow it."""
        async with self._turn:
            session = self._sessions.get(account_id) or await self._meet(account_id)
            code = Code.SWITCHED_OFF if order is LineOrder.DISABLE else None
            wanted = {LineOrder.ENABLE: True, LineOrder.DISABLE: False}.get(order)
            if order is LineOrder.ENABLE and session.line.state not in _HAS_A_RUN:
                await self._end_run(session)
            await self._follow(account_id, session, order, code=code, is_enabled=wanted)
            if session.line.state is LineState.STOPPED:
                await self._end_run(session)
            session.redials = 0

    async def pair(self, account_id: int, phone: str | None) -> None:
        """Link a phone to an account, in place of whatever its line is doing. `phone` null: by QR.

        NOT_FOUND; UNSUPPORTED; ALREADY_LINKED: there is a session, and a second one would replace it.
        """
        async with self._turn:
            session = self._sessions.get(account_id) or await self._meet(account_id)
            transport = session.transport
            if not isinstance(transport, Pairs):
                raise GuvercinError(Code.UNSUPPORTED)
            if session.line.state is not LineState.PAIRING and await transport.is_linked():
                raise GuvercinError(Code.ALREADY_LINKED)
            await self._end_run(session)
            if session.line.state in {LineState.STOPPED, LineState.BLOCKED}:
                await self._follow(account_id, session, LineOrder.ENABLE, is_enabled=True)
            await self._follow(account_id, session, LineNews.LOGGED_OUT, code=Code.NOT_LINKED)
            await self._follow(account_id, session, LineOrder.PAIR)
            pairing = transport

            async def link(emit: Emit) -> None:
                await pairing.pair(emit, phone)

            self._start(account_id, session, link)

    async def unlink(self, account_id: int) -> None:
        """End an account's session at WhatsApp's side, and see its line go. NOT_FOUND; UNSUPPORTED; NOT_CONNECTED."""
        async with self._turn:
            session = self._sessions.get(account_id) or await self._meet(account_id)
            if not isinstance(session.transport, Pairs):
                raise GuvercinError(Code.UNSUPPORTED)
            await session.transport.unlink()
            if session.run is not None:
                await asyncio.wait({session.run}, timeout=_UNLINK_LIMIT)

    async def remove(self, account_id: int) -> bool:
        """End an account for good, and clear away what this machine holds of it. NOT_FOUND, MESSAGES_WAITING.

        False: WhatsApp could not be told, and the phone still lists this device.
        """
        async with self._turn:
            session = self._sessions.get(account_id) or await self._meet(account_id)
            await self._store.remove_account(account_id, now=self._clock.now())
            del self._sessions[account_id]
            is_told = await _let_go(session.transport)
            await self._end_run(session)
            if isinstance(session.transport, Erases):
                await session.transport.erase()
            return is_told

    async def tell(self, account_id: int, events: Sequence[TransportEvent]) -> None:
        """Store what a network told by calling us, whatever the line's state: all messages' news or none. NOT_FOUND."""
        session = self._sessions.get(account_id)
        if session is None and self._leases.is_shared:
            raise _elsewhere(account_id)
        if session is None:
            raise GuvercinError(Code.NOT_FOUND)
        told = [
            put_away(event, account_id, self._seal) if isinstance(event, Inbound) else event
            for event in events
            if isinstance(event, Told)
        ]
        if told:
            now = self._clock.now()
            await self._store.hear(account_id, told, now=now, replies=replies(now))
        for event in events:
            if isinstance(event, LineEvent):
                await self._follow(account_id, session, event.news, code=event.code, until=event.until)

    async def step(self, now: datetime) -> datetime:
        """Bring every line closer to what is wanted; answers when to look again."""
        async with self._turn:
            every = [account for account in await self._store.accounts() if account.removed_at is None]
            accounts = {account.id: account for account in every if self._is_ours(account.id)}
            self._visited = {
                account.id: self._visited.get(account.id) or self._build(account)
                for account in every
                if account.id not in accounts
            }
            for account_id in self._sessions.keys() - {account.id for account in every}:
                await self._end_run(self._sessions.pop(account_id))
            for account in accounts.values():
                if account.id not in self._sessions:
                    self._sessions[account.id] = await self._begin(account, now)
                session = self._sessions[account.id]
                session.pace = account.pace
                await self._tend(account.id, session, now)
        return now + _POLL

    def is_pairing(self, account_id: int) -> bool:
        """Say whether a person is linking a phone to an account this moment."""
        session = self._sessions.get(account_id)
        return session is not None and session.line.state is LineState.PAIRING

    def _is_ours(self, account_id: int) -> bool:
        lease = self._leases.of(account_id)
        return lease is not None and lease.is_good()

    async def leave(self, account_id: int) -> None:
        """Let go of an account that another gateway will run. Its line keeps the state that the database knows."""
        async with self._turn:
            session = self._sessions.pop(account_id, None)
            if session is not None:
                await self._end_run(session)

    async def close(self) -> None:
        """End every run. The lines keep the state that the database knows."""
        async with self._turn:
            await asyncio.gather(*(self._end_run(session) for session in self._sessions.values()))

    async def _meet(self, account_id: int) -> _Session:
        """Begin the session of an account that no step has seen yet; its line is not dialled here.

        ELSEWHERE: another gateway has it, or will have it in a moment.
        """
        if await self._leases.want(account_id) is None:
            raise _elsewhere(account_id)
        for account in await self._store.accounts():
            if account.id == account_id and account.removed_at is None:
                self._sessions[account_id] = await self._begin(account, self._clock.now())
                return self._sessions[account_id]
        raise GuvercinError(Code.NOT_FOUND)

    async def _begin(self, account: Account, now: datetime) -> _Session:
        line = account.line
        if not account.is_enabled:
            state = LineState.STOPPED
        elif line.state in _SURVIVES_A_RESTART:
            state = line.state
        elif line.state is LineState.PAIRING:
            state = LineState.LOGGED_OUT
        else:
            state = LineState.CONNECTING
        if state is not line.state:
            line = Line(state=state, since=now, connected_at=line.connected_at)
            await self._write(account.id, line, now)
        return _Session(transport=self._build(account), line=line, pace=account.pace)

    async def _tend(self, account_id: int, session: _Session, now: datetime) -> None:
        line = session.line
        if line.state in _WANTS_A_RUN and session.run is not None and session.run.done():
            # It ended without saying why, or nobody could write down what it said.
            await self._follow(account_id, session, LineNews.DROPPED, code=Code.LINE_DOWN)
            session.run = None
        elif line.state is LineState.PAIRING and (session.run is None or session.run.done()):
            await self._follow(account_id, session, LineNews.TIMED_OUT, code=Code.LINKING_FAILED)
            session.run = None
        elif line.state is LineState.WAITING and self._clock.monotonic() >= session.redial_at:
            await self._end_run(session)
            await self._follow(account_id, session, LineNews.REDIAL)
        elif line.state is LineState.BANNED and line.until is not None and now >= line.until:
            await self._end_run(session)
            await self._follow(account_id, session, LineNews.BAN_PASSED)
        elif await _has_a_session_by_now(session):
            await self._end_run(session)
            await self._follow(account_id, session, LineOrder.ENABLE)
        if session.line.state in _WANTS_A_RUN and session.run is None:
            transport = session.transport

            async def dial(emit: Emit) -> None:
                await transport.run(emit, session.line)

            self._start(account_id, session, dial)

    def _start(self, account_id: int, session: _Session, work: Callable[[Emit], Awaitable[None]]) -> None:
        session.run = asyncio.create_task(
            self._run(account_id, session, work), name=f"line-{account_id}", context=nobodys()
        )

    async def _run(self, account_id: int, session: _Session, work: Callable[[Emit], Awaitable[None]]) -> None:
        async def emit(event: TransportEvent) -> None:
            await self._hear(account_id, session, event)

        try:
            await work(emit)
        except GuvercinError as trouble:
            if trouble.code not in WEATHER:
                _log.exception("line_run_failed", extra={"account_id": account_id})
        except Exception:  # noqa: BLE001 -- logged, and taken for what it must mean
            _log.exception("line_run_failed", extra={"account_id": account_id})
        self._on_change(account_id)  # a step sees how it ended

    async def _hear(self, account_id: int, session: _Session, event: TransportEvent) -> None:
        match event:
            case Receipt():
                await self._store.receive(account_id, (event,), now=self._clock.now())
            case Inbound() | Preference():
                now = self._clock.now()
                told = put_away(event, account_id, self._seal) if isinstance(event, Inbound) else event
                await self._store.hear(account_id, (told,), now=now, replies=replies(now))
            case Linked():
                await self._store.link_account(account_id, event.phone, now=self._clock.now())
            case Acquainted() | Restricted() | TemplateNews() | NumberNews() | NotUnderstood():
                await self._store.hear(account_id, (event,), now=self._clock.now())
            case LineEvent():
                await self._follow(account_id, session, event.news, code=event.code, until=event.until)
                if event.news is LineNews.OPENED:  # what nobody could tell while it was down may be known by now
                    await self._store.look_now(account_id, now=self._clock.now())

    async def _follow(
        self,
        account_id: int,
        session: _Session,
        cause: LineCause,
        *,
        code: Code | None = None,
        until: datetime | None = None,
        is_enabled: bool | None = None,
    ) -> None:
        async with session.lock:
            is_here = self._sessions.get(account_id) is session and self._is_ours(account_id)
            if self._leases.is_shared and not is_here:
                _not_ours(account_id, cause)
                return
            now = self._clock.now()
            after = _after(session.line, cause, now, code=code, until=until)
            if after is session.line and is_enabled is None:
                return
            if not await self._write(account_id, after, now, is_enabled=is_enabled):
                _not_ours(account_id, cause)
                return
            session.line = after
            if after.state is LineState.CONNECTED:
                session.redials = 0
            if after.state is LineState.WAITING:
                session.redials = min(session.redials + 1, _REDIALS)
                again = retry_at(session.redials, now, self._rng) or now
                session.redial_at = self._clock.monotonic() + (again - now).total_seconds()
        self._on_change(account_id)

    async def _write(self, account_id: int, line: Line, now: datetime, *, is_enabled: bool | None = None) -> bool:
        """Write how a line is, unless its account has been taken by another gateway; says whether it was written."""
        lease = self._leases.of(account_id)
        epoch = -1 if lease is None else lease.epoch  # one that nobody has had: it isn't ours any more
        return await self._store.set_line(account_id, line, now=now, is_enabled=is_enabled, epoch=epoch)

    @staticmethod
    async def _end_run(session: _Session) -> None:
        if session.run is not None:
            session.run.cancel()
            await asyncio.gather(session.run, return_exceptions=True)
            session.run = None
