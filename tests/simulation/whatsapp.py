"""WhatsApp as the simulated day has it: moody, and an honest witness of what it was handed and what it took."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 -- the chance that a test hands in

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import (
    Accepted,
    Deferred,
    Evidence,
    LineEvent,
    Lost,
    NeverLeft,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Scope,
    TransportEvent,
    Unclear,
)
from guvercin.testing.timelapse import LapseClock
from guvercin.testing.transport import DROPPED, LINE_DOWN, Act, Peer, ScriptedTransport, remote_id_of
from guvercin.transports.base import Attempt, Outgoing

SEEN = (ReceiptKind.SERVER, ReceiptKind.DELIVERED, ReceiptKind.READ)
ARMS = {
    "takes": 60,
    "refuses": 5,
    "pushes back": 8,
    "says not now": 4,
    "loses the answer": 8,
    "breaks": 4,
    "hangs": 1,
    "lets it fly": 3,
    "drops the line": 4,
}
"""What may become of a hand-over, and how often on a day on which all of it happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One hand-over as it was seen here: by the steady clock, by the wall, and which process made it."""

    message: Outgoing
    moment: float
    wall: datetime
    life: int
    is_after_jump: bool
    """The wall clock was set a short while before: what depends on it may be seen a little late."""


class Phone(Peer):
    """WhatsApp's side of one account. It stays over every restart."""

    def __init__(self, number: int, clock: LapseClock, rng: Random, say: Callable[[str], None]) -> None:
        super().__init__(self.decide)
        self.number = number
        self.clock = clock
        self.rng = rng
        self.arms = dict(ARMS)
        self.seen: list[Handed] = []
        self.proved: set[bytes] = set()
        """Attempts of which the gateway has proof that they didn't leave."""
        self.flying: set[bytes] = set()
        """Attempts that their sender has lost sight of, and that will still arrive."""
        self.told: dict[str, list[ReceiptKind]] = {}
        self._say = say

    def say(self, what: str) -> None:
        self._say(f"phone {self.number}: {what}")

    def calm(self) -> None:
        """Be as good as WhatsApp can be, from now on."""
        self.arms = {"takes": 1}
        self.evidence = None
        self.dials.clear()

    def farewells(self) -> list[LineEvent | Exception | None]:
        """Answer how a line may end. An error is made anew each time: one that was raised keeps all who heard of it."""
        return [
            DROPPED,
            DROPPED,
            None,
            ConnectionResetError("gone"),
            LineEvent(news=LineNews.LOGGED_OUT),
            LineEvent(news=LineNews.BLOCKED, code=Code.INTERNAL),
            self.ban(),
        ]

    def decide(self, message: Outgoing) -> Act:
        """Let the mood of the day decide about one hand-over."""
        rng = self.rng
        arm = rng.choices(list(self.arms), list(self.arms.values()))[0]
        waits = (0, 0, 0, 0.05, 0.4, 3, 30)
        before, after = (timedelta(seconds=rng.choice(waits)) for _ in range(2))
        receipts = tuple(rng.choices((*SEEN, *SEEN, *SEEN, ReceiptKind.FAILED), k=rng.randrange(4)))
        arrives = rng.random() < 0.5
        self.say(f"{arm} {message.message_id} {'' if arm == 'takes' else arrives}")
        taken = Act(before=before, after=after, receipts=receipts)
        doubtful, turned_away = replace(taken, arrives=arrives), replace(taken, arrives=False, receipts=())
        match arm:
            case "refuses":
                refusal = Refused(reason=Code.NOT_ON_WHATSAPP, scope=rng.choice(list(Scope)), detail="463")
                act = replace(turned_away, answer=refusal)
            case "pushes back":
                retry_after = rng.choice([None, None, timedelta(seconds=2), timedelta(hours=1)])
                deferred = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=retry_after)
                act = replace(turned_away, answer=deferred)
            case "says not now":
                act = replace(turned_away, answer=LINE_DOWN)
            case "loses the answer":
                act = replace(doubtful, answer=Lost(Code.ANSWER_LOST))
            case "breaks":
                act = replace(doubtful, answer=ConnectionResetError())
            case "hangs":
                act = replace(doubtful, gate=asyncio.Event())
            case "lets it fly":
                self.flying.add(message.secret)
                loop = asyncio.get_running_loop()
                loop.call_later(rng.choice([0.5, 20, 900]), self._land, message, receipts)
                act = replace(turned_away, answer=Lost(Code.ANSWER_LOST))
            case "drops the line":
                self.hang_up(rng.choice(self.farewells()))
                act = replace(turned_away, answer=LINE_DOWN) if arrives else Act(answer=Lost(Code.ANSWER_LOST))
            case _:
                act = taken
        return act

    def _land(self, message: Outgoing, receipts: tuple[ReceiptKind, ...]) -> None:
        self.flying.discard(message.secret)
        self.arrive(message, self.clock.now(), receipts)

    def ban(self) -> LineEvent:
        """Make a ban: it may be short, long, or over before it is heard of."""
        until = self.clock.now() + timedelta(seconds=self.rng.choice([-5, 5, 30, 600, 7200]))
        return LineEvent(news=LineNews.BANNED, code=Code.TEMPORARY_BAN, until=until)

    def arrive(self, message: Outgoing, at: datetime, receipts: Iterable[ReceiptKind] = ()) -> str:
        self.say(f"{message.message_id} has arrived at {message.recipient}")
        return super().arrive(message, at, receipts)

    def tell(self, *events: TransportEvent) -> None:
        for event in events:
            if isinstance(event, Receipt):
                self.told.setdefault(event.remote_id, []).append(event.kind)
        super().tell(*events)

    def gossip(self) -> None:
        """Tell late, twice or in the wrong order of something that has arrived, or of something that nobody knows."""
        at = self.clock.now() - timedelta(seconds=self.rng.choice([0, 3, 4000]))
        kinds = self.rng.choices((*SEEN, ReceiptKind.FAILED), weights=(5, 5, 5, 1), k=self.rng.randrange(1, 4))
        known = [remote_id_of(arrived.message.secret) for arrived in self.arrivals]
        remote_id = self.rng.choice(known) if known and self.rng.random() < 0.9 else f"NOBODY-{self.rng.random()}"
        self.say(f"tells {[kind.value for kind in kinds]} of {remote_id}")
        self.tell(*(Receipt(remote_id=remote_id, kind=kind, at=at) for kind in kinds))


class Wire(ScriptedTransport):
    """A process's line to a phone; it notes what it was handed and what the process heard."""

    def __init__(self, phone: Phone, clock: LapseClock, *, life: int, jumped_at: Callable[[], float]) -> None:
        super().__init__(phone, clock)
        self._phone = phone
        self._life = life
        self._jumped_at = jumped_at

    async def send(self, message: Outgoing) -> Outcome:
        phone = self._phone
        if self._can_send():
            moment = self._clock.monotonic()
            phone.seen.append(
                Handed(
                    message=message,
                    moment=moment,
                    wall=self._clock.now(),
                    life=self._life,
                    is_after_jump=moment - self._jumped_at() < 90,
                )
            )
        outcome = await super().send(message)
        if isinstance(outcome, Deferred | Refused):
            phone.proved.add(message.secret)
        if not isinstance(outcome, Accepted):
            phone.say(f"{message.message_id} was answered by {type(outcome).__name__}")
        return outcome

    async def find(self, attempt: Attempt) -> Evidence:
        if attempt.secret in self._phone.flying:
            return Unclear()
        evidence = await super().find(attempt)
        if isinstance(evidence, NeverLeft):
            self._phone.proved.add(attempt.secret)
        return evidence
