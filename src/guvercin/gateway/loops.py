"""Every loop of one process: lines, upkeep, days' counts, the alarm, dispatchers of accounts and couriers of hooks.

They start after what a crash left behind has been put in order, and stop so that nothing in hand is forgotten.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import TYPE_CHECKING

from guvercin.core.audit import nobodys
from guvercin.core.errors import GuvercinError
from guvercin.core.grant import People
from guvercin.core.hours import Hours
from guvercin.core.message import Courtesy, Status
from guvercin.gateway.alarm import Alarm
from guvercin.gateway.clock import Clock
from guvercin.gateway.couriers import Couriers
from guvercin.gateway.dispatcher import Dispatcher
from guvercin.gateway.hands import Hands
from guvercin.gateway.leases import Alone, Lease, Leases
from guvercin.gateway.loop import keep
from guvercin.gateway.retention import Retention
from guvercin.gateway.sessions import Sessions
from guvercin.gateway.tally import Tally
from guvercin.gateway.upkeep import Upkeep
from guvercin.store.store import Store
from guvercin.store.writer import Committed

if TYPE_CHECKING:  # for those who watch by traces
    from guvercin.gateway.traces import Traces

STOP_LIMIT = 4.5
"""Seconds that sends in hand get to finish when the process stops; what doesn't becomes UNKNOWN.

With what comes after it, the whole end takes less than five: whoever stops a process gives it ten."""

_RECOVERED_AT_ONCE = 1_000

_POLL = timedelta(seconds=1)
"""How often what another gateway does is seen to be ours now."""

_SOON = timedelta(milliseconds=50)
"""How often an account that shall go to another gateway is seen to be idle."""

_log = logging.getLogger(__name__)


class Loops:
    """The loops and the bells that wake them early."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: Sessions,
        upkeep: Upkeep,
        tally: Tally,
        couriers: Couriers,
        alarm: Alarm,
        retention: Retention,
        traces: "Traces | None",
        spool_path: Callable[[str], Path],
        hours: Mapping[Courtesy, Hours],
        clock: Clock,
        rng: Random,
        leases: Leases | None = None,
    ) -> None:
        """Take the rooms. `leases` null: this process is alone."""
        self._leases = leases or Alone(partial(put_in_order, store, clock))
        self._leases_bell = asyncio.Event()
        self._accounts_bell = asyncio.Event()
        self._store = store
        self._sessions = sessions
        self._upkeep = upkeep
        self._tally = tally
        self._couriers = couriers
        self._alarm = alarm
        self._alarm_bell = asyncio.Event()
        self._retention = retention
        self._retention_bell = asyncio.Event()
        self._traces = traces
        self._traces_bell = asyncio.Event()
        self._spool_path = spool_path
        self._hours = hours
        self._clock = clock
        self._rng = rng
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._dispatchers: dict[int, Dispatcher] = {}
        self._left: list[Dispatcher] = []
        """Those of accounts that are run no more and had something in hand that could not be written down yet."""
        self._bells: dict[int, asyncio.Event] = {}
        self._pools: dict[str, People] = {}
        self._sessions_bell = asyncio.Event()
        self._upkeep_bell = asyncio.Event()
        self._tally_bell = asyncio.Event()
        self._deadline: float | None = None
        self._met: frozenset[int] = frozenset()
        """Accounts of which anything was heard: of a new one somebody has to take the lease."""

    async def start(self) -> None:
        """Put in order what the last process left behind, then start every loop."""
        now = self._clock.now()
        if await self._store.is_older_copy():
            held = await self._store.hold_unfinished(now=now)
            _log.warning("older_copy_held", extra={"rows": held})
        await self._leases.open()
        self._store.listen(self._heard)
        await self._sessions.step(now)
        if self._leases.is_shared:
            self._tasks["leases"] = self._keep("leases", self._step_leases, self._leases_bell)
            self._tasks["accounts"] = self._keep("accounts", self._step_accounts, self._accounts_bell)
        self._tasks["sessions"] = self._keep("sessions", self._step_sessions, self._sessions_bell)
        self._tasks["upkeep"] = self._keep("upkeep", self._upkeep.step, self._upkeep_bell)
        self._on_duty("tally", self._tally.step, self._tally_bell)
        self._on_duty("alarm", self._alarm.step, self._alarm_bell)
        self._on_duty("retention", self._retention.step, self._retention_bell)
        if self._traces is not None:
            self._on_duty("traces", self._traces.step, self._traces_bell)
        self._on_duty("hooks", self._couriers.step, self._couriers.bell, off=self._couriers.rest)
        self._meet_accounts()

    def wake(self, account_id: int) -> None:
        """Let an account's dispatcher look again now: its line changed."""
        if account_id in self._bells:
            self._bells[account_id].set()
        self._sessions_bell.set()

    def close(self) -> None:
        """Claim nothing more. From now on what is in hand has STOP_LIMIT to finish."""
        for dispatcher in self._dispatchers.values():
            dispatcher.close()
        if self._deadline is None:
            self._deadline = self._clock.monotonic() + STOP_LIMIT

    async def stop(self) -> None:
        """Claim nothing more, let what is in hand finish within STOP_LIMIT of `close`, and end every loop."""
        self.close()
        await self._leases.stand_down()
        idle = asyncio.Event()
        while not all(dispatcher.is_idle for dispatcher in self._dispatchers.values()):
            if self._deadline is not None and self._clock.monotonic() >= self._deadline:
                break
            await self._hand_over_idle()
            await self._clock.wait(self._clock.monotonic() + 0.02, idle)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for dispatcher in (*self._left, *self._dispatchers.values()):
            await _let_go(dispatcher)
        await self._couriers.close()
        await self._alarm.close()
        if self._traces is not None:
            await self._traces.close()
        await self._sessions.close()
        await self._leases.close()

    def _on_duty(
        self,
        name: str,
        step: Callable[[datetime], Awaitable[datetime]],
        bell: asyncio.Event,
        *,
        off: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Keep a loop that one gateway of an installation runs; `off` is called when it is another one."""

        async def step_on_duty(now: datetime) -> datetime:
            if self._leases.is_on_duty():
                return await step(now)
            if off is not None:
                await off()
            return now + _POLL

        self._tasks[name] = self._keep(name, step_on_duty, bell)

    async def _step_leases(self, now: datetime) -> datetime:
        """Keep our accounts and our share of them; what follows from that is not waited for here."""
        again = await self._leases.step()
        self._accounts_bell.set()
        if not self._leases.is_on_duty():  # another one may carry the events: let no courier of ours go on
            self._couriers.bell.set()
        return now + again

    async def _step_accounts(self, now: datetime) -> datetime:
        """Run what is ours and nothing else: what is lost or to be given back is ended first."""
        for dispatcher in list(self._left):
            if await _let_go(dispatcher, tells=False):
                self._left.remove(dispatcher)
        lost = self._leases.lost()
        if lost:
            await self._end_accounts(lost)
            await self._leases.give(lost)
        if self._deadline is not None:
            return now + _POLL
        await self._hand_over([each for each in self._leases.leaving() if not self._sessions.is_pairing(each)])
        await self._leases.put_in_order()
        if self._leases.owned() not in (None, self._dispatchers.keys()):
            self._sessions_bell.set()
        return now + (_SOON if self._leases.leaving() else _POLL)

    async def _hand_over(self, leaving: Collection[int]) -> None:
        """Let accounts go to other gateways, each as soon as nothing of it is in hand."""
        for account_id, dispatcher in self._dispatchers.items():
            if account_id in leaving:
                dispatcher.close()
            elif dispatcher.is_closing and self._deadline is None:
                dispatcher.reopen()
        idle = [each for each in leaving if each not in self._dispatchers or self._dispatchers[each].is_idle]
        if idle:
            self._leases.part(idle)
            await self._end_accounts(idle)
            await self._leases.give(idle)

    async def _hand_over_idle(self) -> None:
        """Let others have what is idle already, while the rest is finished."""
        if self._leases.is_shared:
            await self._hand_over(frozenset(self._dispatchers))

    async def _end_accounts(self, account_ids: Collection[int]) -> None:
        """Run accounts no more: what is in hand is written down as far as it is known."""
        for account_id in account_ids:
            dispatcher = self._dispatchers.pop(account_id, None)
            if dispatcher is not None:
                dispatcher.close()
                task = self._tasks.pop(f"dispatcher-{account_id}")
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                del self._bells[account_id]
                if not await _let_go(dispatcher):
                    self._left.append(dispatcher)  # what it knows of a message that left may be said late, too
            await self._sessions.leave(account_id)

    def _keep(
        self, name: str, step: Callable[[datetime], Awaitable[datetime]], bell: asyncio.Event
    ) -> asyncio.Task[None]:
        return asyncio.create_task(keep(name, step, clock=self._clock, bell=bell), name=name, context=nobodys())

    async def _step_sessions(self, now: datetime) -> datetime:
        wake = await self._sessions.step(now)
        self._meet_accounts()
        return wake

    def _meet_accounts(self) -> None:
        """Start a dispatcher for every account that is new, and end those of accounts that are gone."""
        wanted = self._sessions.account_ids()
        for account_id in wanted - self._dispatchers.keys():
            lease = self._leases.of(account_id)
            if lease is None or self._deadline is not None:
                continue
            bell = self._bells[account_id] = asyncio.Event()
            self._dispatchers[account_id] = dispatcher = self._dispatcher(account_id, bell, lease)
            name = f"dispatcher-{account_id}"
            self._tasks[name] = self._keep(name, dispatcher.step, self._bells[account_id])
        for account_id in self._dispatchers.keys() - wanted:
            self._tasks.pop(f"dispatcher-{account_id}").cancel()
            del self._dispatchers[account_id], self._bells[account_id]

    def _dispatcher(self, account_id: int, bell: asyncio.Event, lease: Lease) -> Dispatcher:
        """Make the dispatcher of an account: with many hands if its line takes many messages at once."""
        transport = self._sessions.transport(account_id)
        make: Callable[..., Dispatcher] = Dispatcher
        if transport is not None and transport.features.concurrency > 1:
            make = partial(Hands, bell=bell, pools=self._pools)
        return make(
            account_id,
            store=self._store,
            sessions=self._sessions,
            spool_path=self._spool_path,
            hours=self._hours,
            clock=self._clock,
            rng=self._rng,
            lease=lease,
        )

    def _heard(self, committed: Committed) -> None:
        for standing in committed.standings:
            if standing.status is Status.QUEUED and standing.waits_for is None:
                bell = self._bells.get(standing.account_id)
                if bell is not None:
                    bell.set()
        if committed.lines:
            self._sessions_bell.set()
            if committed.lines - self._met:
                self._met |= committed.lines
                self._leases_bell.set()
        if committed.moves:
            self._leases_bell.set()
        self._couriers.heard(committed)


async def put_in_order(store: Store, clock: Clock, accounts: Collection[int] | None) -> None:
    """Let what was in hand when its process ended be doubtful, in these accounts; null: in all of them."""
    while await store.recover(now=clock.now(), limit=_RECOVERED_AT_ONCE, accounts=accounts):
        pass


async def _let_go(dispatcher: Dispatcher, *, tells: bool = True) -> bool:
    """Write down what a dispatcher has in hand; says whether that could be done."""
    try:
        await dispatcher.let_go()
    except GuvercinError as trouble:
        if tells:
            _log.warning("left_in_hand", extra={"account_id": dispatcher.account_id, "trouble": trouble.code.value})
        return False
    return True
