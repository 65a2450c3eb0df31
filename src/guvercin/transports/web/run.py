"""One run of a linked phone: from a worker that dials to the reason why its line is gone.

Three things go on at once: the worker's reports are followed, its journal is handed in, and it is asked for a sign of
life now and then. Whichever of them ends, ends the run.
"""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.inbound import InboundKind, Media
from guvercin.core.outcome import Acquainted, Inbound, LineEvent, Receipt, ReceiptKind, Restricted, TransportEvent
from guvercin.transports.base import Clock, Emit
from guvercin.transports.web import protocol as p
from guvercin.transports.web.child import ChildGoneError, Seat
from guvercin.transports.web.deliveries import Deliveries
from guvercin.transports.web.errors import RESTRICTED, farewell_of_ban, farewell_of_logout, farewell_of_refusal
from guvercin.transports.web.journal import Read, Reader

TOLD_AT_ONCE = 64
"""Entries of the journal that are handed in together, so that one commit can store them all."""

DROPPED = LineEvent(news=LineNews.DROPPED, code=Code.LINE_DOWN)
_HELD = LineEvent(news=LineNews.DROPPED, code=Code.SESSION_HELD)
_SICK = LineEvent(news=LineNews.SICK, code=Code.NO_DELIVERIES)
_WELL = LineEvent(news=LineNews.WELL)

_log = logging.getLogger(__name__)

_RECEIPTS: Mapping[str, ReceiptKind] = MappingProxyType(
    {
        "DELIVERED": ReceiptKind.DELIVERED,
        "INACTIVE": ReceiptKind.DELIVERED,  # delivered to a device that nobody looks at
        "READ": ReceiptKind.READ,
        "PLAYED": ReceiptKind.READ,
        "SENDER": ReceiptKind.SERVER,  # our own phone has its copy: it left, and that is all it says
        "RETRY": ReceiptKind.SERVER,  # a device has it and could not open it
    },
)
_OWN = frozenset({"DELIVERED", "INACTIVE", "SENDER", "RETRY"})
"""Receipts that mean something when one of our own devices sends them: that the message left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things may take, in seconds."""

    open: float = 30.0
    grace: float = 6.0
    ping_every: float = 15.0
    ping: float = 10.0
    answer: float = 45.0
    upload: float = 50.0
    check: float = 15.0
    fetch: float = 50.0
    link: float = 160.0
    unlink: float = 5.0
    probe: float = 4.0


class Run:
    """A line that is dialled once. `is_open` says whether it takes sends this moment."""

    def __init__(self, seat: Seat, reader: Reader, deliveries: Deliveries, *, clock: Clock, limits: Limits) -> None:
        self.seat = seat
        self.is_open = False
        self._reader = reader
        self._deliveries = deliveries
        self._clock = clock
        self._limits = limits
        self._has_opened = asyncio.Event()

    async def stay(self, emit: Emit) -> LineEvent:
        """Keep the line until it is gone, and answer why. The journal is handed in to its end by then."""
        try:
            farewell = await self._first_of(self._listen(emit), self._watch(emit), self._keep_telling(emit))
        finally:
            self.is_open = False
        await tell_journal(self._reader, emit)
        return farewell

    @staticmethod
    async def _first_of(*works: Coroutine[Any, Any, LineEvent]) -> LineEvent:
        """Answer whichever ends first, and end the others."""
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return next(task for task in tasks if task in done).result()

    async def _listen(self, emit: Emit) -> LineEvent:
        """Follow the reports until one of them ends the run, or nothing good comes in time."""
        deadline: float | None = self._clock.monotonic() + self._limits.open
        while True:
            limit = None if deadline is None else max(0.0, deadline - self._clock.monotonic())
            report = await self.seat.next_report(limit)
            match report:
                case None:
                    return DROPPED
                case p.Waits() | p.Holds():
                    deadline = await self._come_in(report, emit)
                case p.Opened():
                    deadline = None
                    self.is_open = True
                    if not self._has_opened.is_set():
                        await emit(LineEvent(news=LineNews.OPENED))
                        self._has_opened.set()
                case p.Restored():
                    deadline = None
                    self.is_open = self._has_opened.is_set()
                case p.Dropped() | p.Poisoned():
                    self.is_open = False
                    if deadline is None:
                        deadline = self._clock.monotonic() + self._limits.grace
                case _:
                    if (farewell := farewell_of(report, self._clock.now())) is not None:
                        return farewell

    async def _come_in(self, report: p.Waits | p.Holds, emit: Emit) -> float | None:
        """Hear whether the account's folder is ours, and answer until when the line must open.

        While another worker holds it there is no line to give up: ours dials as soon as it is free.
        """
        if isinstance(report, p.Holds):
            return self._clock.monotonic() + self._limits.open
        await emit(_HELD)
        return None

    async def _watch(self, emit: Emit) -> LineEvent:
        """Ask the library for a sign of life now and then; answer when there is none."""
        is_sick = False
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + self._limits.ping_every)
            try:
                await self.seat.call(lambda number: p.Ping(id=number), limit=self._limits.ping)
            except (TimeoutError, ChildGoneError):
                _log.warning("worker_silent")
                return DROPPED
            if self.is_open and self._deliveries.are_missing(self._clock.now()) is not is_sick:
                is_sick = not is_sick
                await emit(_SICK if is_sick else _WELL)

    async def _keep_telling(self, emit: Emit) -> LineEvent:
        """Hand in what the journal holds, whenever it has grown. Only an error or a cancel ends it."""
        await self._has_opened.wait()
        while True:
            await self.seat.bell.wait()
            self.seat.bell.clear()
            await tell_journal(self._reader, self._hearing(emit))

    def _hearing(self, emit: Emit) -> Emit:
        """Answer an `emit` that notes deliveries as they pass."""

        async def hear(event: TransportEvent) -> None:
            if isinstance(event, Receipt) and event.kind in {ReceiptKind.DELIVERED, ReceiptKind.READ}:
                self._deliveries.delivered()
            await emit(event)

        return hear


def farewell_of(report: p.Report, now: datetime) -> LineEvent | None:
    """Answer the end of a run that a report means; null: it means none."""
    farewell: LineEvent | None = None
    match report:
        case p.LoggedOut():
            farewell = farewell_of_logout(report.reason, on_connect=report.on_connect)
        case p.Replaced():
            farewell = LineEvent(news=LineNews.BLOCKED, code=Code.OPENED_ELSEWHERE)
        case p.Banned():
            farewell = farewell_of_ban(report.reason, report.seconds, now)
        case p.Outdated():
            farewell = LineEvent(news=LineNews.BLOCKED, code=Code.ENGINE_OUTDATED)
        case p.SignInRefused():
            farewell = farewell_of_refusal(report.reason)
        case p.Ended():
            farewell = DROPPED
        case _:
            pass
    return farewell


async def tell_journal(reader: Reader, emit: Emit) -> None:
    """Hand in everything behind the mark, and move it. Raises what `emit` raises; what was not stored is told again."""
    while found := await asyncio.to_thread(reader.read, TOLD_AT_ONCE):
        await _together([emit(event) for one in found for event in events_of(one)])
        with suppress(OSError):
            await asyncio.to_thread(reader.mark, found[-1].after)


def events_of(read: Read) -> Iterator[TransportEvent]:
    """Answer what an entry of the journal means for the gateway."""
    match read.entry:
        case p.ReceiptHeard() as heard:
            kind = _RECEIPTS.get(heard.kind)
            if kind is not None and heard.from_me:
                kind = ReceiptKind.SERVER if heard.kind in _OWN else None
            if kind is not None:
                for remote_id in heard.remote_ids:
                    yield Receipt(remote_id=remote_id, kind=kind, at=heard.at)
        case p.Wrote() as wrote:
            yield _inbound(wrote)
        case p.RestrictionHeard() as told:
            yield Restricted(code=RESTRICTED[told.what], is_active=told.is_active, until=told.until)
        case p.Acquainted() as known:
            yield Acquainted(sender=known.number, at=known.last_inbound_at)
        case _:
            pass


def _inbound(wrote: p.Wrote) -> Inbound:
    media = Media(type=wrote.media_type, name=wrote.file_name, size=wrote.file_size)
    return Inbound(
        remote_id=wrote.remote_id,
        sender=wrote.sender,
        text=wrote.text,
        at=wrote.at,
        kind=InboundKind(wrote.kind) if wrote.kind in set(InboundKind) else InboundKind.OTHER,
        sender_name=wrote.name,
        media=None if media == Media() else media,
        source=wrote.source,
    )


async def _together(works: Sequence[Awaitable[None]]) -> None:
    """Await all of these, whatever some of them do; then raise the first trouble. Cancelled, it leaves none behind."""
    tasks = [asyncio.ensure_future(work) for work in works]
    if not tasks:
        return
    try:
        await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        task.result()
