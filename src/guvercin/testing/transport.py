"""A line that does what a test's script says, and the WhatsApp at its other end, which counts what reached it.

Laws
1. The peer outlives its lines: what has arrived stays counted over every restart, and what it owes is told until it is
   stored.
2. Nothing arrives but by an act that says so; every hand-over is noted, whatever became of it.
3. A line here keeps the contract of every transport: what a script can't express, no real line does either.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias

from guvercin.core.account import Line, LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import (
    Accepted,
    Deferred,
    Evidence,
    LineEvent,
    NeverLeft,
    Outcome,
    Receipt,
    ReceiptKind,
    TransportEvent,
)
from guvercin.transports.base import Attempt, Clock, Emit, Features, Outgoing

LINE_DOWN = Deferred(reason=Code.LINE_DOWN, pushed_back=False)
OPENED = LineEvent(news=LineNews.OPENED)
DROPPED = LineEvent(news=LineNews.DROPPED, code=Code.LINE_DOWN)

FEATURES = Features(
    max_text=4096,
    media=MappingProxyType(
        dict.fromkeys(("application/pdf", "image/jpeg", "image/png", "image/webp"), 16 * 1024 * 1024),
    ),
    receipts=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What becomes of one hand-over. The plain Act arrives and is accepted at once.

    The message arrives after `before`, if it `arrives`; the peer then owes `receipts`, in that order and as often as
    they are named. The sender hears `answer` after another `after`, and not before `gate` is set; null stands for
    Accepted, and an exception is raised. So receipts come before the answer if that takes its time.
    """

    arrives: bool = True
    answer: Outcome | BaseException | None = None
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)
    gate: asyncio.Event | None = None
    receipts: tuple[ReceiptKind, ...] = ()


Script: TypeAlias = Callable[[Outgoing], Act]
"""Decides what becomes of each hand-over, by the message. Called once for each, when the line takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message that has reached the peer."""

    message: Outgoing
    remote_id: str
    at: datetime


def remote_id_of(secret: bytes) -> str:
    """Answer the id that the peer gives to an attempt: a test knows it before the answer does."""
    return f"TEST-{secret[:8].hex().upper()}"


class Peer:
    """WhatsApp's side of one account. `script` may be changed at any time; so may what a look for evidence finds."""

    def __init__(self, script: Script = lambda _: Act()) -> None:
        self.script = script
        self.handed: list[Outgoing] = []
        """Every hand-over that an open line took, in order."""
        self.arrivals: list[Arrived] = []
        self.evidence: Evidence | Exception | None = None
        """What every look finds or meets; null: the truth."""
        self.looks: list[Attempt] = []
        self.dials: deque[LineEvent | Exception] = deque()
        """What the next runs meet instead of OPENED, one each."""
        self.owed: deque[TransportEvent] = deque()
        """What a line has still to tell, and to have stored."""
        self.has_hung_up = False
        self.farewell: LineEvent | Exception | None = None
        self.bell = asyncio.Event()

    def tell(self, *events: TransportEvent) -> None:
        """Let the line tell these, now or as soon as it stands."""
        self.owed.extend(events)
        self.bell.set()

    def hang_up(self, farewell: LineEvent | Exception | None = DROPPED) -> None:
        """End the run that stands, with this as its last word: an exception is raised, null is silence."""
        self.has_hung_up, self.farewell = True, farewell
        self.bell.set()

    def arrive(self, message: Outgoing, at: datetime, receipts: Iterable[ReceiptKind] = ()) -> str:
        """Let a message reach the peer, which will owe these receipts; answers its id.

        An act does so by itself. A test may, long after the sender has lost sight of it.
        """
        remote_id = remote_id_of(message.secret)
        self.arrivals.append(Arrived(message=message, remote_id=remote_id, at=at))
        self.tell(*(Receipt(remote_id=remote_id, kind=kind, at=at) for kind in receipts))
        return remote_id

    def arrivals_of(self, message_id: int) -> int:
        """Answer how often a message has reached the peer."""
        return sum(arrived.message.message_id == message_id for arrived in self.arrivals)


class ScriptedTransport:
    """One line to a peer. A new process has a new one; the peer stays."""

    def __init__(self, peer: Peer, clock: Clock) -> None:
        self._peer = peer
        self._clock = clock
        self._is_open = False

    @property
    def features(self) -> Features:
        """Say what this line can carry."""
        return FEATURES

    async def run(self, emit: Emit, line: Line) -> None:  # noqa: ARG002 -- a script knows the line without being told
        """Dial once, tell what the peer owes, and end as it hangs up."""
        peer = self._peer
        greeting = peer.dials.popleft() if peer.dials else OPENED
        if isinstance(greeting, Exception):
            raise greeting
        if greeting.news is not LineNews.OPENED:
            await emit(greeting)
            return
        peer.has_hung_up = False
        self._is_open = True
        try:
            await emit(greeting)
            farewell = await self._listen(emit)
        finally:
            self._is_open = False
        if isinstance(farewell, Exception):
            raise farewell
        if farewell is not None:
            await emit(farewell)

    async def send(self, message: Outgoing) -> Outcome:
        """Let the script decide about one hand-over."""
        if not self._can_send():
            return LINE_DOWN
        peer = self._peer
        peer.handed.append(message)
        if message.file is not None and (obstacle := message.file.obstacle()) is not None:
            return obstacle
        act = peer.script(message)
        await self._pass(act.before)
        remote_id, at = remote_id_of(message.secret), self._clock.now()
        if act.arrives:
            peer.arrive(message, at, act.receipts)
        await self._pass(act.after)
        if act.gate is not None:
            await act.gate.wait()
        if isinstance(act.answer, BaseException):
            raise act.answer
        return Accepted(remote_id, at) if act.answer is None else act.answer

    async def unlink(self) -> None:
        """Do nothing: there is no session anywhere."""

    async def find(self, attempt: Attempt) -> Evidence:
        """Look an attempt up among the arrivals, unless the test has put other evidence there."""
        peer = self._peer
        peer.looks.append(attempt)
        if isinstance(peer.evidence, Exception):
            raise peer.evidence.with_traceback(None)  # else each time it is raised stays in it
        if peer.evidence is not None:
            return peer.evidence
        for arrived in peer.arrivals:
            if arrived.message.secret == attempt.secret:
                return Accepted(arrived.remote_id, arrived.at)
        return NeverLeft()

    def _can_send(self) -> bool:
        return self._is_open and not self._peer.has_hung_up

    async def _listen(self, emit: Emit) -> LineEvent | Exception | None:
        """Tell what is owed, in order and again until it is stored. Answer how the peer hung up."""
        peer = self._peer
        while True:
            peer.bell.clear()
            if peer.has_hung_up:
                return peer.farewell
            if peer.owed:
                await emit(peer.owed[0])
                peer.owed.popleft()
            else:
                await peer.bell.wait()

    async def _pass(self, time: timedelta) -> None:
        if time:
            await self._clock.sleep_until(self._clock.monotonic() + time.total_seconds())
