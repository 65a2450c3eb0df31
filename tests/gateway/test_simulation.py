"""Bad weather, played from a seed: whatever happens, no message is doubled, lost, overtaken or left half done.

A process lives on real SQLite and a simulated WhatsApp. Lines drop, answers get lost, receipts come early, late and
twice, the store refuses or is slow, clocks are set, people cancel and send again, and the process is killed in mid-air
at random turns of its loop. Afterwards the weather clears, and the promises are checked against what arrived.

The number of a failing test is its seed: the same test id plays the same story again, to the turn.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random  # noqa: TID251 -- the chance that a test hands in
from typing import Any

import pytest
from tests.gateway.house import House, batch, make_world, pace, seconds, turn
from tests.rounds import rounds

from guvercin.core.account import LineNews
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import WITH_WHATSAPP, Lane, Message, Status
from guvercin.core.outcome import (
    Deferred,
    Evidence,
    LineEvent,
    Lost,
    NeverLeft,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    TransportEvent,
    Unclear,
)
from guvercin.testing.transport import DROPPED, LINE_DOWN, Act, Peer, ScriptedTransport, remote_id_of
from guvercin.transports.base import Attempt, Outgoing

PHONES = ["+905321234567", "+905321234568", "+905321234569"]
STEPS = 40
WEATHER = frozenset(
    {Code.STORE_UNAVAILABLE, Code.CLOSING, Code.NOT_CANCELLABLE, Code.MESSAGES_WAITING, Code.INVALID_PHONE},
)
"""What a caller may be told in such weather."""

TROUBLES = [DROPPED, None, OSError(), LineEvent(news=LineNews.LOGGED_OUT)]
ROUNDING = 1e-4


@dataclass
class Journal:
    """What an honest witness at WhatsApp's side has seen."""

    handed: list[tuple[Outgoing, float, int]] = field(default_factory=list)
    """Each hand-over, its moment on the monotonic clock, and the process that made it."""
    cleared: set[bytes] = field(default_factory=set)
    """Attempts of which the gateway has proof that they didn't leave."""


class Talker(Peer):
    """A peer that remembers which receipts it has told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: defaultdict[str, set[ReceiptKind]] = defaultdict(set)

    def tell(self, *events: TransportEvent) -> None:
        for event in events:
            if isinstance(event, Receipt):
                self.told[event.remote_id].add(event.kind)
        super().tell(*events)


class Witness(ScriptedTransport):
    """A scripted line that writes the journal."""

    def __init__(self, game: "Game") -> None:
        super().__init__(game.world.peer, game.world.clock)
        self._game = game
        self._life = game.lives

    async def send(self, message: Outgoing) -> Outcome:
        if self._can_send():
            self._game.journal.handed.append((message, self._clock.monotonic(), self._life))
        outcome = await super().send(message)
        if isinstance(outcome, Deferred):
            self._game.journal.cleared.add(message.secret)
        return outcome

    async def find(self, attempt: Attempt) -> Evidence:
        evidence = await super().find(attempt)
        if isinstance(evidence, NeverLeft):
            self._game.journal.cleared.add(attempt.secret)
        return evidence


class Game:
    """One story, from its seed to its end."""

    def __init__(self, folder: Path, template: Path, seed: int) -> None:
        self.rng = Random(seed)
        self.world = make_world(folder, template, seed=seed)
        self.journal = Journal()
        self.lives = 0
        self.is_stormy = True
        self.has_jumped = False
        self.callers: list[asyncio.Task[Any]] = []
        self.accepted: set[int] = set()
        self.planned: set[int] = set()
        single, bulk = self.rng.choice([(0.0, 0.0), (0.2, 0.2), (0.5, 2.0), (1.0, 4.0)])
        self.pace = pace((single, 2 * single), (bulk, 2 * bulk))
        self.peer = self.world.peers[1] = Talker()
        self.peer.script = self.act
        self.world.builds = lambda _, __: Witness(self)
        self.house: House

    # -- WhatsApp

    def act(self, _: Outgoing) -> Act:
        rng, peer = self.rng, self.peer
        receipts = tuple(rng.choices(list(ReceiptKind)[:3], k=rng.randrange(4)))
        if not self.is_stormy:
            return Act(receipts=receipts)
        before, after = (seconds(rng.choice([0, 0, 0, 0.05, 0.4, 3])) for _ in range(2))
        arrives = rng.random() < 0.5
        odds: Sequence[tuple[int, Callable[[], Act]]] = [
            (50, lambda: Act(before=before, after=after, receipts=receipts)),
            (5, lambda: Act(arrives=False, before=before, answer=Refused(reason=Code.NOT_ON_WHATSAPP))),
            (8, lambda: Act(arrives=False, after=after, answer=Deferred(reason=Code.PUSHED_BACK, pushed_back=True))),
            (4, lambda: Act(arrives=False, answer=Deferred(reason=Code.LINE_DOWN, pushed_back=False))),
            (8, lambda: Act(arrives=arrives, after=after, answer=Lost(Code.ANSWER_LOST), receipts=receipts)),
            (5, lambda: Act(arrives=arrives, before=before, answer=ConnectionResetError(), receipts=receipts)),
            (2, lambda: Act(arrives=arrives, before=before, gate=asyncio.Event(), receipts=receipts)),
        ]
        if rng.random() < 0.05:
            peer.hang_up(rng.choice([DROPPED, DROPPED, None, ConnectionResetError(), self.ban()]))
            return Act(arrives=False, answer=LINE_DOWN) if arrives else Act(answer=Lost(Code.ANSWER_LOST))
        act: Callable[[], Act] = rng.choices([act for _, act in odds], [weight for weight, _ in odds])[0]
        return act()

    def ban(self) -> LineEvent:
        until = self.world.clock.now() + seconds(self.rng.choice([5, 30]))
        return LineEvent(news=LineNews.BANNED, code=Code.TEMPORARY_BAN, until=until)

    # -- a process

    async def begin(self) -> None:
        self.lives += 1
        self.house = await self.world.begin(gaps=self.pace)
        await self.house.loops.start()
        if self.is_stormy and self.rng.random() < 0.2:
            self.house.store.writer._listeners.clear()  # polling alone must do

    async def crash(self) -> None:
        await turn(self.rng.randrange(30))
        await self.house.crash()
        await self.begin()

    async def restart(self) -> None:
        self.clear_store()
        self.house.gateway.close()
        stopping = asyncio.create_task(self.house.loops.stop())
        while not stopping.done():
            await self.world.clock.elapse(seconds(0.05))
        stopping.result()
        assert Status.SENDING not in await self.house.statuses(), "a stop left a message half done"
        await self.house.close()
        await self.begin()

    def clear_store(self) -> None:
        self.house.store.writer.refuses = False
        self.house.store.writer.release()

    # -- people

    async def ask(self, verb: Awaitable[Any]) -> Any:
        """Ask as a caller does; in bad weather the answer may be no."""
        try:
            return await verb
        except GuvercinError as refusal:
            if refusal.code not in WEATHER:
                raise

    async def send_one(self) -> None:
        rng = self.rng
        plan = seconds(rng.choice([1, 20])) if rng.random() < 0.1 else None
        lifetime = timedelta(minutes=1) if rng.random() < 0.05 else timedelta(days=20)
        text = f"Merhaba {rng.random()}"
        sent = await self.ask(
            self.house.ask(
                rng.choice(PHONES),
                text,
                wait=rng.choice([0, 0, 1, 10]),
                planned_at=None if plan is None else self.world.clock.now() + plan,
                lifetime=lifetime,
                reference="R",
            )
        )
        if sent is not None:
            self.accepted.add(sent.standing.id)
            if plan is not None:
                self.planned.add(sent.standing.id)

    async def send_batch(self) -> None:
        rng = self.rng
        phones = rng.choices([*PHONES, "x"], k=rng.randrange(1, 6))
        ask = batch(*phones, text=f"Liste {rng.random()}", lifetime=timedelta(days=20))
        await self.ask(self.house.gateway.send_batch(self.house.everything, ask, wait=seconds(rng.choice([0, 5]))))

    async def meddle(self) -> None:
        """Cancel, send again, release: by ids that may be anything."""
        gateway, token = self.house.gateway, self.house.everything
        newest = max(self.accepted, default=0)
        if not newest:
            return
        number = self.rng.randrange(1, newest + 1)
        match self.rng.randrange(6):
            case 0:
                await self.ask(gateway.resend(token, number, wait=seconds(0)))
            case 1:
                await self.ask(gateway.cancel_reference(token, "R"))
            case _:
                await self.ask(gateway.cancel(token, number))

    def call(self, verb: Callable[[], Awaitable[None]]) -> None:
        async def calling() -> None:
            with suppress(asyncio.CancelledError):  # the process was killed under it
                await verb()

        self.callers.append(asyncio.create_task(calling()))
        self.hear_callers()

    def hear_callers(self) -> None:
        """Let a caller's surprise be ours."""
        for caller in [caller for caller in self.callers if caller.done()]:
            caller.result()
            self.callers.remove(caller)

    # -- weather

    async def step(self) -> None:
        """Let one thing happen, and some time or a few turns of the loop go by."""
        happens: Sequence[tuple[int, Callable[[], Awaitable[None] | None]]] = [
            (22, lambda: self.call(self.send_one)),
            (8, lambda: self.call(self.send_batch)),
            (6, lambda: self.call(self.meddle)),
            (4, lambda: self.peer.hang_up(self.rng.choice([*TROUBLES, self.ban()]))),
            (3, lambda: self.ask(self.house.gateway.accounts.pause(self.house.everything, 1))),
            (4, lambda: self.ask(self.house.gateway.accounts.resume(self.house.everything, 1))),
            (3, self.store_refuses_or_recovers),
            (3, self.store_is_slow),
            (4, self.evidence_changes),
            (3, self.tell_late),
            (3, self.wall_clock_jumps),
            (4, self.crash),
            (2, self.restart),
            (2, lambda: self.peer.dials.extend(self.rng.choices([DROPPED, OSError(), self.ban()], k=2))),
        ]
        thing = self.rng.choices([thing for _, thing in happens], [weight for weight, _ in happens])[0]
        happening = thing()
        if happening is not None:
            await happening
        if self.rng.random() < 0.8:
            await self.world.clock.elapse(seconds(self.rng.choice([0, 0.03, 0.3, 1, 2, 6])))
        else:
            await turn(self.rng.randrange(20))

    def store_refuses_or_recovers(self) -> None:
        writer = self.house.store.writer
        writer.refuses = not writer.refuses

    async def store_is_slow(self) -> None:
        self.house.store.writer.hold()
        await self.world.clock.elapse(seconds(self.rng.choice([0, 0.5, 8])))
        self.house.store.writer.release()

    def evidence_changes(self) -> None:
        self.peer.evidence = self.rng.choice([None, None, Unclear(), OSError()])

    def wall_clock_jumps(self) -> None:
        self.world.clock.jump_wall(seconds(self.rng.choice([-3600, -30, -1, 1, 30, 3600])))
        self.has_jumped = True

    def tell_late(self) -> None:
        """Tell a receipt of something that was handed over, whether it arrived or is still on its way."""
        peer, rng = self.peer, self.rng
        if peer.arrivals:
            remote_id = remote_id_of(rng.choice(peer.arrivals).message.secret)
            kind = rng.choice(list(ReceiptKind)[:3])
            peer.tell(Receipt(remote_id=remote_id, kind=kind, at=self.world.clock.now()))

    async def clear_up(self) -> None:
        """Let the sun come out, and time pass until nothing is left to do."""
        peer, clock = self.peer, self.world.clock
        self.is_stormy = False
        peer.evidence = None
        peer.dials.clear()
        self.clear_store()
        await self.crash()
        await self.ask(self.house.gateway.accounts.resume(self.house.everything, 1))
        for _ in range(60):
            clock.advance(timedelta(minutes=20))
            await clock.elapse(seconds(3))
            if set(await self.house.statuses()).isdisjoint({Status.QUEUED, Status.SENDING, Status.UNKNOWN}):
                break
        self.hear_callers()
        assert not self.callers, "somebody still waits"

    # -- the promises

    async def judge(self) -> None:
        messages = await self.house.messages()
        self.nothing_is_half_done(messages)
        self.nothing_is_doubled(messages)
        self.nothing_is_overtaken(messages, await self.doubted())
        await self.nothing_goes_back(messages)
        await self.all_figures_agree(messages)
        self.no_gap_is_broken(messages)
        self.no_receipt_is_forgotten(messages)
        assert self.accepted <= {message.id for message in messages}, "P1: what was accepted is there"

    def nothing_is_half_done(self, messages: Sequence[Message]) -> None:
        open_ones = {message.id: message.status for message in messages if message.status not in ENDS}
        assert not open_ones, f"P2: {open_ones}"

    def nothing_is_doubled(self, messages: Sequence[Message]) -> None:
        arrivals = Counter(arrived.message.message_id for arrived in self.peer.arrivals)
        assert all(count == 1 for count in arrivals.values()), f"P3: {arrivals}"
        for message in messages:
            if message.status in WITH_WHATSAPP:
                assert arrivals[message.id] == 1, f"{message.id} is {message.status} and never arrived"
            elif message.reason is not Code.RESENT:
                assert not arrivals[message.id], f"{message.id} is {message.status}, {message.reason}, and arrived"
        attempts: defaultdict[int, list[bytes]] = defaultdict(list)
        for outgoing, _, _ in self.journal.handed:
            attempts[outgoing.message_id].append(outgoing.secret)
        for message_id, secrets in attempts.items():
            assert len(set(secrets)) == len(secrets), "each hand-over has a secret of its own"
            unproved = [secret for secret in secrets[:-1] if secret not in self.journal.cleared]
            assert not unproved, f"P3: {message_id} was handed over again without proof"

    def nothing_is_overtaken(self, messages: Sequence[Message], doubted: set[int]) -> None:
        ranks = {message.id: message.priority for message in messages}
        lines: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for arrived in self.peer.arrivals:
            outgoing = arrived.message
            if outgoing.message_id not in doubted | self.planned:
                lines[outgoing.recipient, ranks[outgoing.message_id]].append(outgoing.message_id)
        for line in lines.values():
            assert line == sorted(line), f"P4: {line}"

    def no_receipt_is_forgotten(self, messages: Sequence[Message]) -> None:
        """What WhatsApp has told of a message is what its row says, however early or late it was told."""
        assert not self.peer.owed, "the line still has something to tell"
        for message in messages:
            if message.remote_id is not None:
                kinds = self.peer.told[message.remote_id]
                assert (message.read_at is not None) == (ReceiptKind.READ in kinds), f"{message.id} {kinds}"
                assert (message.delivered_at is not None) == (ReceiptKind.DELIVERED in kinds), f"{message.id} {kinds}"

    async def doubted(self) -> set[int]:
        return {event.message_id or 0 for event in await self.house.events(EventKind.MESSAGE_UNKNOWN)}

    async def nothing_goes_back(self, messages: Sequence[Message]) -> None:
        told: defaultdict[int, list[EventKind]] = defaultdict(list)
        for event in await self.house.events():
            if event.message_id is not None:
                told[event.message_id].append(event.kind)
        for message in messages:
            kinds = told[message.id]
            for earlier, later in pairwise(kinds):
                assert later in AFTER[earlier], f"P5: {message.id} {[kind.value for kind in kinds]}"
            assert message.status in MEANS[kinds[-1]], f"{message.id} is {message.status} after {kinds[-1]}"

    async def all_figures_agree(self, messages: Sequence[Message]) -> None:
        sizes = Counter(message.batch_id for message in messages if message.batch_id is not None)
        for batch_id, size in sizes.items():
            view = await self.house.gateway.batches.one(self.house.everything, batch_id)
            counts = view.counts
            assert view.batch.total == size == counts.sent + counts.failed + counts.queued, "P9"

    def no_gap_is_broken(self, messages: Sequence[Message]) -> None:
        lanes: dict[int, Lane] = {message.id: message.lane for message in messages}
        for (_, earlier, life), (outgoing, later, next_life) in pairwise(self.journal.handed):
            if life == next_life or not self.has_jumped:
                least = self.pace.gaps[lanes[outgoing.message_id]].least.total_seconds()
                assert later - earlier >= least - ROUNDING, f"P8: {later - earlier} s before {outgoing.message_id}"


ENDS = WITH_WHATSAPP | {Status.FAILED, Status.CANCELLED}

_SEEN = {EventKind.MESSAGE_DELIVERED, EventKind.MESSAGE_READ}
_IN_LINE = {
    EventKind.MESSAGE_CLAIMED,
    EventKind.MESSAGE_FAILED,
    EventKind.MESSAGE_CANCELLED,
    EventKind.MESSAGE_RELEASED,
}
_LEFT = {EventKind.MESSAGE_SENT, EventKind.MESSAGE_FAILED, *_SEEN}
AFTER: dict[EventKind, set[EventKind]] = {
    EventKind.MESSAGE_ACCEPTED: _IN_LINE,
    EventKind.MESSAGE_DEFERRED: _IN_LINE,
    EventKind.MESSAGE_RELEASED: _IN_LINE,
    EventKind.MESSAGE_CLAIMED: {*_LEFT, EventKind.MESSAGE_DEFERRED, EventKind.MESSAGE_UNKNOWN},
    EventKind.MESSAGE_UNKNOWN: {*_LEFT, EventKind.MESSAGE_RELEASED},
    EventKind.MESSAGE_SENT: _SEEN,
    EventKind.MESSAGE_DELIVERED: {EventKind.MESSAGE_READ},
    EventKind.MESSAGE_READ: set(),
    EventKind.MESSAGE_FAILED: _SEEN,
    EventKind.MESSAGE_CANCELLED: set(),
}
"""What may be told of a message after what: the same order that the statuses keep, written down once more."""

MEANS: dict[EventKind, set[Status]] = {
    EventKind.MESSAGE_SENT: {Status.SENT},
    EventKind.MESSAGE_DELIVERED: {Status.DELIVERED},
    EventKind.MESSAGE_READ: {Status.READ},
    EventKind.MESSAGE_FAILED: {Status.FAILED},
    EventKind.MESSAGE_CANCELLED: {Status.CANCELLED},
}


REPLAY = "GUVERCIN_ROUNDS=full python -m pytest '{}::test_whatever_the_weather_the_promises_hold[{}]'"


@pytest.mark.parametrize("seed", range(rounds(100, 2_000)))
async def test_whatever_the_weather_the_promises_hold(tmp_path: Path, template: Path, seed: int) -> None:
    game = Game(tmp_path / "data", template, seed)
    try:
        await game.begin()
        for _ in range(STEPS):
            await game.step()
        await game.clear_up()
        await game.judge()
    except BaseException as broken:
        broken.add_note("To play this story again: " + REPLAY.format("tests/gateway/test_simulation.py", seed))
        raise
    finally:
        await game.house.close()
