"""One virtual day of a whole gateway, played from a seed: the same seed plays the same day, to the turn of the loop.

A day is a process over real SQLite, a moody WhatsApp for each account, callers, and a plan: what happens when. The
plan is made of small generators (plans.py); whatever else a gateway can live through becomes one more of them. The
oracle (oracle.py) looks on after everything that happens.

Between two happenings time runs as it does, with every loop's every step, for a while; then it leaps, as for a machine
that was suspended: a promise that a leap could break would not survive a laptop's lid either.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 -- the chance that a test hands in
from typing import Any, cast

from tests.gateway.house import House, SteadyStore, make_world, pace, seconds, turn
from tests.simulation import owner
from tests.simulation.ledger import ASKED_IN_VAIN, Ledger, Limits
from tests.simulation.oracle import Oracle
from tests.simulation.whatsapp import Phone, Wire

from guvercin.core.account import Account, Kind, OnUnknown
from guvercin.core.errors import GuvercinError
from guvercin.core.message import Lane
from guvercin.core.pacing import Caps, Gap, Pace, Rules
from guvercin.core.token import Token
from guvercin.gateway.requests import AccountChange, MannersChange, NewAccount
from guvercin.testing.timelapse import LapseClock, TimelapseLoop
from guvercin.testing.transport import Peer
from guvercin.transports.base import Transport

LENGTH = 86_400.0
"""Seconds of a virtual day."""

_STEADY = 3.0
"""Seconds after which a process without trouble has looked at everything that time asks of it."""

_MOST_LEAPS = 800
"""The leaps in which a clear day must finish whatever a stormy one has left behind."""

PACES = (pace((0, 0)), pace((0.2, 0.2)), pace((0.5, 2), (1, 4)), pace((3, 6), (6, 14)))


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens `at` so many seconds into the day. What answers a coroutine goes on beside the day."""

    at: float
    name: str
    do: Callable[["Day"], Coroutine[Any, Any, None] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a control test may exchange for something that breaks a promise."""

    store_in: type[SteadyStore] = SteadyStore
    line: type[Wire] = Wire


class Phones(dict[int, Phone]):
    """WhatsApp's side of every account, made as accounts are."""

    def __init__(self, make: Callable[[int], Phone]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, number: int) -> Phone:
        self[number] = self._make(number)
        return self[number]


class Day:
    """One day. Its verbs are for the plan: what may happen to a gateway, and what may be asked of it."""

    def __init__(self, seed: int, folder: Path, template: Path, stage: Stage | None = None) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, TimelapseLoop)
        self.loop = loop
        self.seed = seed
        self.rng = Random(seed)
        self.clock = LapseClock(loop)
        self.stage = stage or Stage()
        self.world = make_world(folder, template, seed=seed, clock=self.clock)
        self.phones = Phones(self._phone)
        self.world.peers = cast("MutableMapping[int, Peer]", self.phones)
        self.world.builds = self._line
        self.world.store_in = self.stage.store_in
        self.journal: list[str] = []
        self.digest = ""
        """What identifies this day once it is over: all that happened, in its order, and what the store says of it."""
        self.ledger = Ledger()
        self.oracle = Oracle(folder, self.clock, self.ledger, self.phones)
        self.house: House | None = None
        self.lives = 0
        self.jumped_at = -1e9
        self.is_killed = False
        self.wants_stop = False
        self.is_troubled = False
        """The disk is in trouble: nobody can ask for punctuality."""
        self.steady = 0.0
        """Seconds that time has gone by as it does, without any trouble of ours."""
        self.surprises: list[BaseException] = []
        self.arms_off: set[str] = set()
        self.pace: Pace = self.rng.choice(PACES)
        loop.set_exception_handler(self._surprised)

    # -- the record

    def say(self, what: str) -> None:
        self.journal.append(f"{self.loop.time() - 1000:12.3f} {what}")

    def _digest(self) -> str:
        whole = hashlib.sha256("\n".join(self.journal).encode())
        whole.update(repr(self.oracle.everything()).encode())
        return whole.hexdigest()

    def _surprised(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.surprises.append(context.get("exception") or RuntimeError(context["message"]))

    # -- the process

    def _phone(self, number: int) -> Phone:
        phone = Phone(number, self.clock, Random(f"{self.seed} phone {number}"), self.say)
        phone.arms = {arm: weight for arm, weight in phone.arms.items() if arm not in self.arms_off}
        return phone

    def _line(self, account: Account, _: object) -> Transport:
        phone = self.phones[account.id]
        return self.stage.line(phone, self.clock, life=self.lives, jumped_at=lambda: self.jumped_at)

    async def boot(self) -> None:
        """Start a process on what the last one left behind."""
        self.lives += 1
        self.is_killed = False
        self.say(f"process {self.lives} starts")
        self.steady, self.is_troubled = 0, False
        self.oracle.begin_anew()
        self.house = await self.world.begin(gaps=self.pace)
        self.house.store.writer.on_death = partial(self.kill_after, 1)
        self.house.store.writer.on_event = self.oracle.hear_commit
        await self.house.loops.start()

    def kill(self) -> None:
        """End the process as kill -9 does, at this very turn of the loop."""
        if self.house is not None and not self.is_killed:
            self.say("the process is killed")
            self.is_killed = True
            self.house.kill()

    def kill_after(self, turns: int) -> None:
        """Kill the process after so many turns of the loop: anything may be half done then."""
        if turns:
            self.loop.call_soon(self.kill_after, turns - 1)
        else:
            self.kill()

    async def revive(self) -> None:
        """Start again, now or after a while, if the process was killed."""
        while self.is_killed and self.house is not None:
            house, self.house = self.house, None
            await house.crash()
            await self._nothing_runs()
            await self.boot()

    def _running(self) -> House | None:
        return None if self.is_killed else self.house

    async def stop(self) -> None:
        """End the process with good manners, and start it again."""
        house = self._running()
        if house is None:
            return
        self.say("the process is told to stop")
        self.heal()
        house.gateway.close()
        stopping = self.loop.create_task(house.loops.stop())
        self.outside(stopping)
        while not (stopping.done() or self.is_killed):
            await self.clock.elapse(seconds(0.05))
        if self.is_killed:  # in the very turn in which it was done, too
            stopping.cancel()
            await self.revive()
            return
        self.oracle.nothing_is_in_hand()
        self.house = None
        await house.close()
        await self._nothing_runs()
        await self.boot()

    async def _nothing_runs(self) -> None:
        self.clock.advance(seconds(self.rng.choice([0, 0, 0, 0.5, 20, 900])))
        await self.clock.settle()

    def heal(self) -> None:
        """Let the store take what it is given."""
        if self.house is not None and not self.is_killed:
            self.steady, self.is_troubled = 0, False
            self.house.store.is_unreadable = False
            writer = self.house.store.writer
            writer.refuses, writer.dies_in = False, 0
            writer.clear_disk()
            writer.release()

    def jump(self, by: float) -> None:
        """Set the wall clock."""
        self.ledger.highest_wall = max(self.ledger.highest_wall, self.clock.now())
        self.jumped_at = self.clock.monotonic()
        self.ledger.has_jumped = True
        if by > 0:
            self.ledger.forward_jumps.append(self.jumped_at)
        self.steady = 0
        self.clock.jump_wall(seconds(by))

    # -- callers

    def outside(self, task: asyncio.Task[Any]) -> None:
        """Let a task be no part of the process."""
        self.world.outside.add(task)
        task.add_done_callback(self.world.outside.discard)
        task.add_done_callback(self._hear)

    def _hear(self, task: asyncio.Task[Any]) -> None:
        """Let a caller's surprise be ours."""
        if not task.cancelled() and (trouble := task.exception()) is not None:
            self.surprises.append(trouble)

    async def ask(self, who: str, verb: Callable[[House], Awaitable[Any]], *, patience: float = 100) -> Any:
        """Ask the process that runs as one request does. Answers what it answered, its refusal, or null: no answer."""
        if self.house is None or self.is_killed:
            return None
        asking: asyncio.Task[Any] = self.loop.create_task(_asked(verb, self.house))
        asking.add_done_callback(self._hear)
        await asyncio.wait({asking}, timeout=patience)
        if not asking.done():
            self.say(f"{who} waits no longer")
            if self.rng.random() < 0.5:
                asking.cancel()
            return None
        if asking.cancelled():
            self.say(f"{who} was cut off")
            return None
        answer = asking.result()
        if isinstance(answer, GuvercinError):
            self.say(f"{who} is refused: {answer.code}")
            if answer.code not in ASKED_IN_VAIN:
                raise answer
        return answer

    async def token(self, name: str, **rules: Any) -> Token | None:
        """Answer a caller's token; null while nothing runs."""
        if name in self.world.tokens:
            return self.world.tokens[name]
        made = await self.ask(name, lambda house: house.token(name, **rules))
        return made if isinstance(made, Token) else None

    # -- time

    async def run(self, plan: list[Happening]) -> None:
        """Play the plan, look on, and let the sun come out at the end of the day."""
        await self.boot()
        await self._furnish()
        start = self.clock.monotonic()
        for happening in sorted(plan, key=lambda happening: happening.at):
            await self._pass(start + happening.at - self.clock.monotonic())
            if happening.name:
                self.say(happening.name)
            going_on = happening.do(self)
            if going_on is not None:
                self.outside(self.loop.create_task(going_on))
            if self.rng.random() < 0.3:
                await turn(self.rng.randrange(20))
            if self.wants_stop:
                self.wants_stop = False
                await self.stop()
            await self._look_on()
        await self._clear_up()
        self.oracle.judge()
        self.digest = self._digest()

    def end(self) -> None:
        """Let no kill that is on its way come any more: it would meet whoever clears the day away."""
        self.is_killed = True

    async def _furnish(self) -> None:
        """Give the business its accounts and its owner's choices."""
        assert self.house is not None
        token, accounts = self.world.tokens["everything"], self.house.gateway.accounts
        for number in range(1, self.rng.choice([1, 2, 2, 3]) + 1):
            if number > 1:
                await accounts.add(token, NewAccount(name=f"Kasa {number}", kind=Kind.SANDBOX))
            gaps = self.rng.choice(PACES).gaps if number > 1 else self.pace.gaps
            manners = MannersChange(
                keeps_notices=self.rng.random() < 0.3,
                sender_title=self.rng.choice([None, "Demir Ticaret"]),
            )
            on_unknown = self.rng.choice([OnUnknown.HOLD, *OnUnknown])
            change = AccountChange(gaps=gaps, on_unknown=on_unknown, manners=manners)
            if manners.keeps_notices:
                self.ledger.notices.add(number)
            await accounts.change(token, number, change)
            self.ledger.paces[number] = gaps
            if self.rng.random() < 0.4:
                await self._give_rules(number, gaps)
        await self.clock.elapse(seconds(1.1))

    async def _give_rules(self, number: int, gaps: Mapping[Lane, Gap]) -> None:
        """Let an account keep rules, so narrow that a day's few messages meet them."""
        assert self.house is not None
        limits = Limits(
            hourly=self.rng.choice([3, 6, 15]),
            daily=self.rng.choice([10, 25]),
            recipient_gap=self.rng.choice([0, 6, 60]),
        )
        self.ledger.limits[number] = limits
        rules = Rules(
            known=gaps[Lane.BULK],
            new=Gap(least=seconds(5), most=seconds(9)),
            hourly=Caps(all=limits.hourly, existing=limits.hourly, new=1 + limits.hourly // 3),
            daily=Caps(all=limits.daily, existing=limits.daily, new=1 + limits.daily // 3),
            monthly_new=None,
            warms_up=False,
            has_breakers=False,
            breather_after=self.rng.choice([None, 5]),
            recipient_gap=seconds(limits.recipient_gap) if limits.recipient_gap else None,
            unanswered_daily=None,
            unanswered_monthly=None,
            loop_after=None,
        )
        await self.house.store.change_account(number, pace=Pace(gaps=gaps, rules=rules), now=self.clock.now())

    async def _pass(self, left: float) -> None:
        """Let time go by: as it does for a while, then in leaps."""
        if left <= 0:
            return
        natural = min(left, self.rng.choice([0.01, 0.01, 0.3, 1, 3.1]))
        await self._natural(natural)
        left -= natural
        for _ in range(self.rng.randrange(3)):
            leap = min(left, self.rng.choice([1, 15, 60]))
            await self._leap(leap)
            left -= leap
        await self._leap(max(0.0, left))

    async def _natural(self, long: float) -> None:
        await self.clock.elapse(seconds(long))
        self.steady = 0 if self.is_troubled else self.steady + long
        await self.revive()
        if self.steady >= _STEADY:
            self.oracle.nothing_is_overdue()

    async def _leap(self, long: float) -> None:
        if long > 0:
            await self.clock.settle()  # no leap between a look at the clock and the act that follows it
            self.clock.advance(seconds(long))
            self.steady = 0
        await self._natural(0.001)

    async def _look_on(self) -> None:
        await self.revive()
        if self.surprises:
            raise self.surprises[0]
        self.oracle.look_on()

    async def _clear_up(self) -> None:
        """Let the weather be fair, and time pass until nothing is left to do."""
        self.say("the sun comes out")
        self.arms_off = set(self.phones[1].arms) - {"takes"}
        for phone in self.phones.values():
            phone.calm()
        await self.revive()
        self.heal()
        told = -1
        for number in range(_MOST_LEAPS):
            if number % 10 == 0:  # a ban may end meanwhile
                await owner.resume_all(self)
                await owner.resume_batches(self)
                await owner.decide_doubts(self, None)
            if self.oracle.is_done() and not self.world.outside:
                return
            is_moving, told = self.oracle.events != told, self.oracle.events
            await self._leap(15 if is_moving and self.oracle.is_in_line() else self._rest())
            await self._look_on()

    def _rest(self) -> float:
        """Answer the seconds until something is due, as far as rows say; twenty minutes at least."""
        waits = self.oracle.next_due()
        return max(1_200, 0 if waits is None else waits / 1_000 - self.clock.now().timestamp())


async def _asked(verb: Callable[[House], Awaitable[Any]], house: House) -> Any:
    try:
        return await verb(house)
    except GuvercinError as refusal:
        return refusal
