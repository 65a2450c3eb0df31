"""Our side of a linked phone: the transport. Its runs are in run.py, the linking of a phone in linking.py.

Laws
1. One seat in a worker process per run, and one run at a time. Whatever goes wrong with it (the process ends, falls
   silent, lets the connection go) ends the run; the gateway decides when there is another.
2. A socket that breaks is left to the engine for `Limits.grace`: within that time it resends what was under way by
   itself, the same bytes under the same id. No other send is handed over meanwhile.
3. What the journal holds is stored before a run says farewell, and told again by the next run if it could not be.
4. A send is in the air until its worker has answered or is reaped. While it is, nobody says that it never left.
5. A session that was opened elsewhere is left alone: who opened it last keeps it, until a person decides otherwise.
6. A worker knows until when the account is ours, and ends by itself then: nobody has to tell it.
"""

import asyncio
import fcntl
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from guvercin.core.account import Line, LineNews
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.outcome import (
    Accepted,
    Deferred,
    Evidence,
    Inbound,
    LineEvent,
    Linked,
    Outcome,
    TransportEvent,
    Unclear,
)
from guvercin.transports.base import Attempt, Clock, Emit, Features, Link, LinkState, Outgoing
from guvercin.transports.web import protocol as p
from guvercin.transports.web.child import ChildGoneError, Seat
from guvercin.transports.web.deliveries import Deliveries
from guvercin.transports.web.errors import (
    ANSWER_LOST,
    LINE_DOWN,
    NOT_ON_WHATSAPP,
    SESSION_ENDS,
    UNLINKED,
    check_outcome,
    fetch_trouble,
    outcome_of,
)
from guvercin.transports.web.evidence import DATABASE, Files, OpenReadOnly, Session, find
from guvercin.transports.web.journal import Reader
from guvercin.transports.web.linking import Linking
from guvercin.transports.web.numbers import Numbers
from guvercin.transports.web.run import Limits, Run, tell_journal
from guvercin.transports.web.workers import Workers

_MB = 1024 * 1024
FEATURES = Features(
    max_text=4096,
    media=MappingProxyType(
        dict.fromkeys(("application/pdf", "image/jpeg", "image/png", "image/webp"), 16 * _MB),
    ),
    receipts=True,
)

_PROLONGED = 4
"""Into so many parts the time that is left is cut: after each of them the worker hears whether there is more."""

_SHORTEST = 0.05

_NO_ENGINE = LineEvent(news=LineNews.DROPPED, code=Code.ENGINE_DOWN)

_log = logging.getLogger(__name__)


class Web:
    """One linked phone. `folder` is the account's own, one of those that the workers know.

    `until` tells up to which moment of the monotonic clock the account is ours; null: for ever.
    """

    def __init__(
        self,
        *,
        folder: Path,
        clock: Clock,
        open_database: OpenReadOnly,
        numbers: Numbers,
        workers: Workers,
        limits: Limits = Limits(),  # noqa: B008 -- frozen
        until: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._until = until
        self._folder = folder
        self._clock = clock
        self._workers = workers
        self._limits = limits
        self._files = Files(database=folder / DATABASE, journal=folder / "journal", open_database=open_database)
        self._session = Session(self._files, folder / "session.json")
        self._numbers = numbers
        self._deliveries = Deliveries()
        self._run: Run | None = None
        self._in_the_air: dict[bytes, tuple[Seat, int]] = {}
        self._link = Link(state=LinkState.NONE)

    @property
    def features(self) -> Features:
        """Say what a linked phone can carry."""
        return FEATURES

    @property
    def link(self) -> Link:
        """Answer how far linking has come."""
        return self._link

    # -- the line

    async def run(self, emit: Emit, line: Line) -> None:  # noqa: ARG002 -- the session's file knows more than the line
        """Resume the session and stay connected until the line is lost."""
        emit = self._naming(emit)
        reader = Reader(self._files.journal)
        jid = await asyncio.to_thread(self._session.jid)
        if jid is None:
            await tell_journal(reader, emit)
            await emit(LineEvent(news=LineNews.NO_SESSION, code=Code.NOT_LINKED))
            return
        await self._introduce(emit, jid)
        async with self._worker(reader, jid) as run:
            farewell = _NO_ENGINE if run is None else await run.stay(emit)
        await self._part(emit, farewell)
        with suppress(OSError):
            await asyncio.to_thread(reader.prune, self._clock.now())

    def _naming(self, emit: Emit) -> Emit:
        """Answer an `emit` that gives people who wrote without a number the one that the engine knows them by."""

        async def tell(event: TransportEvent) -> None:
            if isinstance(event, Inbound) and event.sender.endswith(p.HIDDEN):
                number = await asyncio.to_thread(self._files.number_of, event.sender)
                event = event if number is None else replace(event, sender=number)
            await emit(event)

        return tell

    async def is_linked(self) -> bool:
        """Say whether there is a session."""
        return await asyncio.to_thread(self._session.jid) is not None

    async def pair(self, emit: Emit, phone: str | None) -> None:
        """Link a phone, then stay connected."""
        emit = self._naming(emit)
        self._link = Link(state=LinkState.STARTING)
        try:
            await asyncio.to_thread(self._session.forget)
            async with self._worker(Reader(self._files.journal), None) as run:
                farewell = await self._link_phone(emit, run, phone)
                if farewell is None and run is not None:
                    farewell = await run.stay(emit)
        finally:
            if self._link.state in {LinkState.STARTING, LinkState.SHOWING}:
                self._link = Link(state=LinkState.FAILED)
        await self._part(emit, farewell or _NO_ENGINE)

    async def _part(self, emit: Emit, farewell: LineEvent) -> None:
        """Tell why a line is gone; a session that went with it is over for good."""
        if farewell.code in SESSION_ENDS:
            await asyncio.to_thread(self._session.end)
        await emit(farewell)

    async def _link_phone(self, emit: Emit, run: Run | None, phone: str | None) -> LineEvent | None:
        """Answer why no phone was linked; null: one was."""
        if run is None:
            return LineEvent(news=LineNews.LOGGED_OUT, code=Code.ENGINE_DOWN)
        linking = Linking(run.seat, phone, self._show, clock=self._clock, limits=self._limits)
        taken = await linking.link(emit)
        if isinstance(taken, LineEvent):
            return taken
        await asyncio.to_thread(self._session.note, taken, self._clock.now())
        await self._introduce(emit, taken)
        await emit(LineEvent(news=LineNews.PAIRED))
        return None

    async def _introduce(self, emit: Emit, jid: str) -> None:
        """Tell which number a session is of, unless that is stored. Nothing is sent before."""
        if not await asyncio.to_thread(self._session.is_told, jid):
            await emit(Linked(phone=f"+{jid.partition(':')[0].partition('@')[0]}"))
            await asyncio.to_thread(self._session.tell, jid, self._clock.now())

    def _show(self, link: Link) -> None:
        self._link = link

    async def unlink(self) -> None:
        """Log out at WhatsApp's side; the run ends by it. NOT_CONNECTED: nobody could be told."""
        run = self._open_run()
        if run is None:
            raise GuvercinError(Code.NOT_CONNECTED)
        try:
            answer = await run.seat.call(lambda number: p.Unlink(id=number), limit=self._limits.unlink)
        except (TimeoutError, ChildGoneError):
            raise GuvercinError(Code.NOT_CONNECTED) from None
        if isinstance(answer, p.Failed):
            raise GuvercinError(Code.NOT_CONNECTED)
        run.seat.hear(p.LoggedOut(reason=UNLINKED, on_connect=False))

    async def erase(self) -> None:
        """Remove the account's folder: session, journal and all."""
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def probe(self) -> bool:
        """Ask the engine this moment."""
        run = self._open_run()
        if run is None:
            return False
        with suppress(TimeoutError, ChildGoneError):
            pong = await run.seat.call(lambda number: p.Ping(id=number), limit=self._limits.probe)
            return isinstance(pong, p.Pong) and pong.is_connected and pong.is_logged_in
        return False

    # -- sending

    async def send(self, message: Outgoing) -> Outcome:
        """Hand one message over, once."""
        run = self._open_run()
        if run is None:
            return LINE_DOWN
        if message.file is not None and (obstacle := message.file.obstacle()) is not None:
            return obstacle
        try:
            found = await self._look_up(message.recipient)
        except GuvercinError:  # the store can't be read now: that is weather, and not a message that may have left
            return LINE_DOWN
        if not found:
            return NOT_ON_WHATSAPP
        if isinstance(found, Deferred):
            return found
        may_leave = run.is_open and message.may_leave()
        return await self._hand_over(run.seat, message) if may_leave else LINE_DOWN

    async def is_on_network(self, number: str) -> bool:
        """Answer whether a number is on WhatsApp, from memory or by asking."""
        answer = await self._look_up(number)
        if not isinstance(answer, Deferred):
            return answer
        if answer.reason is Code.CHECKS_SPENT:
            raise GuvercinError(Code.CHECKS_SPENT, retry_after=answer.retry_after)
        raise GuvercinError(Code.NOT_CONNECTED)

    async def fetch(self, source: bytes, into: Path, *, limit: int) -> None:
        """Let the engine fetch a message's file, and write it."""
        run = self._open_run()
        if run is None:
            raise GuvercinError(Code.INBOUND_FILE_AWAY)
        try:
            answer = await run.seat.call(
                lambda call: p.Fetch(id=call, source=source, path=str(into), limit=limit), limit=self._limits.fetch
            )
        except (TimeoutError, ChildGoneError):
            raise GuvercinError(Code.INBOUND_FILE_AWAY) from None
        if isinstance(answer, p.Failed):
            raise GuvercinError(fetch_trouble(answer.error))

    async def find(self, attempt: Attempt) -> Evidence:
        """Look for the traces of an attempt, in the journal and in the engine's own database."""
        if self._is_in_the_air(attempt.secret) or not await asyncio.to_thread(self._is_ours_to_read):
            return Unclear()
        return await asyncio.to_thread(
            find, self._files, attempt.secret, attempt.started_at, linked_at=self._session.linked_at()
        )

    def _open_run(self) -> Run | None:
        return self._run if self._run is not None and self._run.is_open else None

    async def _look_up(self, number: str) -> bool | Deferred:
        """Answer whether a number is on WhatsApp, from memory or by asking; or why nobody can say. Nothing has left."""
        if (known := await self._numbers.known(number)) is not None:
            return known
        run = self._open_run()
        if run is None:
            return LINE_DOWN
        if (wait := await self._numbers.ask(number)) is not None:
            return Deferred(reason=Code.CHECKS_SPENT, pushed_back=False, retry_after=wait)
        try:
            answer = await run.seat.call(lambda call: p.Check(id=call, number=number), limit=self._limits.check)
        except (TimeoutError, ChildGoneError):
            return LINE_DOWN
        if isinstance(answer, p.Checked):
            await self._learn(number, is_registered=answer.is_registered)
            return answer.is_registered
        return check_outcome(answer.error if isinstance(answer, p.Failed) else "")

    async def _learn(self, number: str, *, is_registered: bool) -> None:
        """Keep an answer. A store that can't take it costs a question more, and not the message."""
        with suppress(GuvercinError):
            await self._numbers.learn(number, is_registered=is_registered)

    async def _hand_over(self, seat: Seat, message: Outgoing) -> Outcome:
        file = message.file

        def ask(number: int) -> p.Send:
            self._in_the_air[message.secret] = seat, number
            return p.Send(
                id=number,
                recipient=message.recipient,
                secret=message.secret,
                text=message.text,
                file=None if file is None else str(file.path),
                file_name=None if file is None else file.name,
                media_type=None if file is None else file.media_type,
            )

        try:
            answer = await seat.call(ask, limit=self._limits.answer if file is None else self._limits.upload)
        except (TimeoutError, ChildGoneError):
            return ANSWER_LOST
        self._in_the_air.pop(message.secret, None)
        match answer:
            case p.Sent():
                self._deliveries.sent(self._clock.now())
                return Accepted(answer.remote_id, answer.at, Code.LEFT_OUT if answer.left_out else None)
            case p.Failed():
                outcome = outcome_of(answer.error)
                if outcome is NOT_ON_WHATSAPP:
                    await self._learn(message.recipient, is_registered=False)
                return outcome
            case _:
                return ANSWER_LOST

    def _is_in_the_air(self, secret: bytes) -> bool:
        call = self._in_the_air.get(secret)
        return call is not None and call[0].is_at_work_on(call[1])

    # -- the worker

    @asynccontextmanager
    async def _worker(self, reader: Reader, jid: str | None) -> AsyncIterator[Run | None]:
        """Hold a seat in a worker that is dialling; null: none can run here. It is free for certain when this ends."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            seat = await self._workers.take_seat(self._folder.name, alone=jid is None)
        except (ChildGoneError, OSError) as trouble:
            _log.error("worker_not_started", extra={"trouble": str(trouble)})
            yield None
            return
        self._run = Run(seat, reader, self._deliveries, clock=self._clock, limits=self._limits)
        prolonging = asyncio.create_task(self._prolong(seat))
        try:
            seat.dial(jid, self._until())
            yield self._run
        finally:
            prolonging.cancel()
            self._run = None
            try:
                await self._workers.give_up(seat)
            finally:
                await asyncio.gather(prolonging, return_exceptions=True)
                self._in_the_air = {secret: call for secret, call in self._in_the_air.items() if call[0] is not seat}

    async def _prolong(self, seat: Seat) -> None:
        """Tell the worker of more time as soon as there is more, well before what it knows of is over."""
        told = self._until()
        while told is not None:
            left = told - self._clock.monotonic()
            await self._clock.sleep_until(self._clock.monotonic() + max(_SHORTEST, left / _PROLONGED))
            until = self._until()
            if until is not None and until > told:
                told = until
                seat.prolong(until)

    def _is_ours_to_read(self) -> bool:
        """Say whether nobody but our own worker writes here: that of a process that died may live a moment longer."""
        if self._run is not None and self._run.seat.holds:
            return True
        try:
            lock = os.open(self._folder / p.LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(lock)
        return True
