"""An account whose line takes many messages at once: several are under way, each as one Dispatcher would send it.

Laws, beside the dispatcher's own
1. What has come back is settled and what may leave is claimed in one change: a crowd of messages costs few commits.
2. One recipient has one message under way at a time, so that their messages arrive in order.
3. Nothing is claimed that is not handed over at once: a crash leaves no more in doubt than was really under way.
4. What the network grants the number is kept: how much a second, to one person, and to how many people a day.
5. A line that says «too fast» rests, and then sends more slowly until it has sent well for a while. A network in
   trouble is left alone for a while that doubles, until it takes something again.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from math import ceil, floor
from pathlib import Path
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import cast

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.grant import Allowance, People
from guvercin.core.hours import Hours
from guvercin.core.message import Courtesy, Lane
from guvercin.core.outcome import Accepted, Deferred, Lost, Outcome, Scope
from guvercin.core.pacing import Use
from guvercin.core.retry import JITTER
from guvercin.gateway.clock import Clock
from guvercin.gateway.dispatcher import POLL, Answer, Dispatcher, Hand, to_the_end
from guvercin.gateway.leases import FOR_EVER, Lease
from guvercin.gateway.sessions import Sessions
from guvercin.store.store import Store
from guvercin.store.verbs.claiming import Settlement, Turn
from guvercin.transports.base import IsGranted, Transport

_CATCH_UP = timedelta(milliseconds=50)
"""How much of its pace an account may make up for at once: timers and commits are coarser than fast paces."""

_LEAST_GAP = timedelta(seconds=1 / 80)
"""What an account without a gap begins with when its line says that it is too fast."""

_MOST_STRAIN = 64.0
_EASE = 0.998
"""What each accepted message leaves of the slowing down: half of it is gone after some 350."""

_REST = timedelta(seconds=1)
_LONGEST_REST = timedelta(minutes=1)
"""How long a network in trouble is left alone at the most."""


@cache
def _is_granted(kind: type[Transport]) -> bool:
    """Say whether a kind of line knows its grant. Remembered: it is asked at every step."""
    return issubclass(kind, IsGranted)


class Hands(Dispatcher):
    """The hands that send for one account. `bell` is the one that wakes its loop."""

    def __init__(
        self,
        account_id: int,
        *,
        store: Store,
        sessions: Sessions,
        spool_path: Callable[[str], Path],
        hours: Mapping[Courtesy, Hours],
        clock: Clock,
        rng: Random,
        bell: asyncio.Event,
        pools: dict[str, People],
        lease: Lease = FOR_EVER,
    ) -> None:
        """Take the bell that wakes its loop, and the people of each pool that numbers share."""
        super().__init__(
            account_id,
            store=store,
            sessions=sessions,
            spool_path=spool_path,
            hours=hours,
            clock=clock,
            rng=rng,
            lease=lease,
        )
        self._bell = bell
        self._pools = pools
        self._allowance: Allowance | None = None
        self._under_way: dict[asyncio.Task[Outcome], Hand] = {}
        self._answers: list[Answer] = []
        self._is_in_turn = False
        self._strain = 1.0
        self._rests_until: datetime | None = None
        self._rest = _REST

    @property
    def is_idle(self) -> bool:
        """Say whether nothing is under way or about to be, and no answer waits to be written."""
        return not self._under_way and not self._answers and not self._is_in_turn

    async def step(self, now: datetime) -> datetime:
        """Write down what has come back and hand over what may leave; answers when to look again."""
        transport = self._sessions.transport(self.account_id)
        if transport is None:
            return now + POLL
        await self._get_ready()
        await self._know_grant(transport)
        self._gather()
        lanes, room = self._room(transport.features.concurrency - len(self._under_way))
        if not self._answers and not room:
            return now + self._wait()
        self._is_in_turn = True
        try:
            has_more = await to_the_end(self._turn(transport, lanes, room))
        finally:
            self._is_in_turn = False
        return now if has_more else now + self._wait()

    async def let_go(self) -> None:
        """Write down what came back; what is still under way is in doubt. Raises what the store raises."""
        for task, hand in list(self._under_way.items()):
            if not task.done():
                task.cancel()
                self._answers.append(Answer(hand, Lost(Code.CUT_SHORT)))
                del self._under_way[task]
        self._gather()
        await self._write([], 0)

    async def _know_grant(self, transport: Transport) -> None:
        """Hear what the network grants now. What was sent before is counted when it is first known."""
        grant = cast("IsGranted", transport).granted() if _is_granted(type(transport)) else None
        if grant is None or (self._allowance is not None and self._allowance.grant == grant):
            return
        is_of_another_pool = self._allowance is None or self._allowance.grant.pool != grant.pool
        if is_of_another_pool or self._allowance is None:
            people = self._pools.setdefault(grant.pool, People()) if grant.pool else People()
            allowance = Allowance(grant, people)
            allowance.ahead = self._ahead()
            await self._store.take_up(self.account_id, allowance, now=self._clock.now())
            self._allowance = allowance
        self._allowance.grant = grant

    def _ahead(self) -> int:
        """Answer by how many milliseconds the wall clock is ahead of this account's own time."""
        return (self._clock.now() - self._steady_now()) // timedelta(milliseconds=1)

    async def _turn(self, transport: Transport, lanes: list[Lane], room: int) -> bool:
        """Settle, claim, and hand over; answers whether there may be more to claim at once."""
        claimed, judges_again = await self._write(lanes, room)
        self._look_when_it_leaves(*claimed)
        for hand in claimed:
            task = asyncio.get_running_loop().create_task(self._send(transport, hand))
            self._under_way[task] = hand
            task.add_done_callback(lambda _: self._bell.set())
        if judges_again and self._place.course is not None:  # what was claimed is handed over, whatever comes of this
            await self._judge_again(self._place.course)
        return bool(claimed) and len(claimed) == room

    async def _write(self, lanes: list[Lane], room: int) -> tuple[list[Hand], bool]:
        """Write the answers that are owed and claim as many messages as there is room for.

        Answers what was claimed, and whether what is parked has to be judged again.
        """
        owed, now = list(self._answers), self._clock.now()
        settlements = [
            Settlement(
                answer.hand.message.id,
                answer.hand.attempt_id,
                answer.outcome,
                self._retry_at(answer.hand.message, answer.outcome, now),
                answer.hand.message.recipient,
            )
            for answer in owed
        ]
        chances = [(self._rng.randbytes(32), self._rng.random()) for _ in range(room)]
        busy = {hand.message.recipient for hand in self._under_way.values()}
        if self._allowance is not None:
            self._allowance.ahead = self._ahead()
        try:
            claimed = await self._store.settle_and_claim_more(
                self.account_id,
                settlements,
                lanes,
                now=now,
                chances=chances,
                busy=busy,
                turn=replace(self._now_turn(), keeps_gaps=False),
                allowance=self._allowance,
            )
        except GuvercinError:
            raise
        except Exception:
            # No weather: one of these can't be written. Each is written alone, and what can't be is in doubt.
            await self._settle_each(owed)
            raise
        self._answers = self._answers[len(owed) :]
        if claimed:
            self._place = Turn(after=claimed[-1].turn, course=claimed[-1].course)
        hands = [Hand(each.message, each.attempt_id, each.secret, each.heard_at) for each in claimed if each.message]
        if hands and self._use is not None:
            self._spend(len(hands), chances[len(hands) - 1][1])
        return hands, bool(claimed) and claimed[-1].judges_again

    async def _settle_each(self, owed: list[Answer]) -> None:
        for answer in owed:
            self._owed = answer
            try:
                await self._settle()
            except GuvercinError:
                raise
            except Exception:  # noqa: BLE001 -- it is lost now, and is written so
                await self._settle()
            self._answers.remove(answer)

    def _gather(self) -> None:
        """Take what has come back, and learn from it how fast the line likes to be used."""
        for task in [task for task in self._under_way if task.done()]:
            hand = self._under_way.pop(task)
            outcome = Lost(Code.CUT_SHORT) if task.cancelled() else task.result()
            self._answers.append(Answer(hand, outcome))
            self._learn(outcome)

    def _learn(self, outcome: Outcome) -> None:
        if isinstance(outcome, Accepted):
            self._strain, self._rest = max(1.0, self._strain * _EASE), _REST
        elif isinstance(outcome, Deferred) and outcome.pushed_back and outcome.scope in {Scope.ACCOUNT, Scope.SYSTEM}:
            steady = self._steady_now()
            is_first = self._rests_until is None or steady >= self._rests_until  # a crowd that is turned away is one
            if outcome.scope is Scope.ACCOUNT:
                self._strain = min(_MOST_STRAIN, self._strain * 2) if is_first else self._strain
                self._rests_until = steady + (outcome.retry_after or _REST)
            elif is_first:
                self._rests_until = steady + (
                    outcome.retry_after or self._rest * self._rng.uniform(1 - JITTER, 1 + JITTER)
                )
                self._rest = min(_LONGEST_REST, self._rest * 2)

    def _room(self, free: int) -> tuple[list[Lane], int]:
        """Answer the lanes that may send now, and how many messages."""
        steady = self._steady_now()
        if self._rests_until is not None and steady < self._rests_until:
            return [], 0
        lanes = [lane for lane, wait in self._waits().items() if wait <= timedelta(0)]
        if not lanes or free <= 0 or self._use is None:
            return [], 0
        gap = self._gap(lanes)
        if not gap:
            return lanes, free
        most = max(1, ceil(_CATCH_UP / gap))
        earned = most if self._use.last_at is None else floor((steady - self._use.last_at) / gap)
        return lanes, min(free, most, max(0, earned))

    def _gap(self, lanes: list[Lane]) -> timedelta:
        pace = self._sessions.pace(self.account_id)
        gap = max(pace.gaps[lane].at(self._use.draw if self._use else 0.0) for lane in lanes)
        if self._allowance is not None:
            gap = max(gap, self._allowance.grant.least_gap)
        return gap if self._strain <= 1 else max(gap, _LEAST_GAP) * self._strain

    def _spend(self, number: int, draw: float) -> None:
        """Count what was claimed against the pace; what was not used for long is not kept."""
        steady, last_at = self._steady_now(), self._use.last_at if self._use else None
        gap = self._gap(list(Lane))
        spent = steady if last_at is None else min(steady, max(last_at + number * gap, steady - _CATCH_UP))
        self._use = Use(spent, draw)

    def _wait(self) -> timedelta:
        """Answer how long nothing can be done unless the bell rings."""
        steady = self._steady_now()
        waits = [wait for wait in self._waits().values() if wait > timedelta(0)]
        if self._rests_until is not None and self._rests_until > steady:
            waits.append(self._rests_until - steady)
        elif self._use is not None and self._use.last_at is not None:
            waits.append(self._use.last_at + self._gap(list(Lane)) - steady)
        return min([POLL, *(wait for wait in waits if wait > timedelta(0))])
