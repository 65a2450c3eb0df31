"""Couriers: each carries what happened to one hook. A slow or broken address keeps its own courier waiting, no other.

Laws
1. Nothing is lost: what was handed over is written down once it was taken; a crash delivers it again, under its name.
2. Events of one subject arrive in their order; what fails holds back the later ones of its subject.
3. An address that takes nothing at all gets one event at a time: a try that is due, else a new one once a minute.
4. A courier writes nothing while there is nothing to tell, and nothing heavy is loaded before there is a hook.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import Protocol

from standardwebhooks import Webhook

from guvercin import __version__
from guvercin.core.call import Called
from guvercin.core.hook import CloseReason, Delivery, DeliveryState, Heard, Hook, Notice, Secrets, Tally, notice_id
from guvercin.core.retry import DELIVERIES, retry_at
from guvercin.gateway.clock import Clock
from guvercin.gateway.dispatcher import to_the_end
from guvercin.gateway.loop import keep
from guvercin.sealing import Seal, Unreadable
from guvercin.store.store import Store
from guvercin.store.verbs.hooks import Try, Window
from guvercin.store.writer import Committed

_log = logging.getLogger(__name__)

POLL = timedelta(seconds=1)
"""How often a courier looks without being told: the bell only shortens this."""

HANDS = 16
"""Deliveries to one address at the same time."""

FRESH = 200
"""New events in one window: as many may be delivered twice after a crash."""

DUE = 50
"""Deliveries whose time has come again, in one window."""

KNOCK_EVERY = 60.0
"""Seconds between two new events that an address which takes nothing is tried with."""

REREAD = timedelta(seconds=30)
"""How often the hooks are read without being told of a change."""

LONGEST_BODY = 20_000
"""Bytes of a body (Standard Webhooks: at most 20 kB)."""

PURPOSE = "webhook"
"""What the seals of these secrets are for."""

_GONE = 410
_BUSY = frozenset({429, 503})
_MOVE_AFTER = 5_000
"""Events of no concern to a hook after which its place is written all the same."""


class Calls(Protocol):
    """A way to call an address."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Called:
        """Hand a body over, once; whatever goes wrong is an answer too."""

    async def close(self) -> None:
        """Drop every connection."""


def keys_of(seal: Seal, secrets: Secrets, now: datetime) -> Sequence[bytes]:
    """Answer what a hook's bodies are signed with now, the newest first. Unreadable."""
    keys = [seal.open(secrets.sealed, PURPOSE)]
    if secrets.before is not None and secrets.before_until is not None and now < secrets.before_until:
        keys.append(seal.open(secrets.before, PURPOSE))
    return keys


def headers_of(name: str, at: datetime, body: bytes, keys: Sequence[bytes]) -> Mapping[str, str]:
    """Answer the headers of a delivery (Standard Webhooks): with several keys one of the signatures is known."""
    text = body.decode()
    return {
        "content-type": "application/json; charset=utf-8",
        "user-agent": f"Guvercin/{__version__}",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(name, at, text) for key in keys),
    }


@dataclass(slots=True)
class _Round:
    """One window on its way: what was settled of it, and what is known of the address by now."""

    chains: Iterator[Sequence[Try]]
    done: list[Delivery] = field(default_factory=list)
    has_worked: bool = False
    misses: int = 0
    is_gone: bool = False
    is_hopeless: bool = False

    @property
    def is_over(self) -> bool:
        """Say whether the rest of the window had better wait: nobody takes anything there."""
        return self.is_gone or (self.misses >= HANDS and not self.has_worked)


class Courier:
    """What one hook hears, in windows."""

    def __init__(
        self,
        hook: Hook,
        *,
        store: Store,
        calls: Calls,
        seal: Seal,
        write: Callable[[Notice], bytes],
        clock: Clock,
        rng: Random,
        tally: Tally,
    ) -> None:
        """Take the way out, and how a notice is written as a body."""
        self._store = store
        self._calls = calls
        self._seal = seal
        self._write = write
        self._clock = clock
        self._rng = rng
        self._tally = tally
        self._hook = hook
        self._at = hook.cursor
        self._knock_at = self._quiet_until = 0.0
        """On the monotonic clock."""

    def refresh(self, hook: Hook) -> None:
        """Hear that the hook may have been changed."""
        if hook != self._hook:
            self._hook, self._at = hook, hook.cursor
            self._knock_at = self._quiet_until = 0.0

    async def step(self, now: datetime) -> datetime:
        """Deliver one window; answers when to look again: at once while there is more."""
        hook, at = self._hook, self._clock.monotonic()
        if hook.closed_at is not None:
            return now + REREAD
        if at < self._quiet_until:
            return now + timedelta(seconds=self._quiet_until - at)
        try:
            keys = keys_of(self._seal, hook.secrets, now)
        except Unreadable:
            await self._close(CloseReason.NOT_OPENED, now)
            return now + REREAD
        is_failing = hook.failing_since is not None
        window = await self._take(hook, now, is_failing=is_failing, knocks=at >= self._knock_at)
        if window.again or window.fresh or window.behind:
            await self._deliver(hook, window, keys, now)
        else:
            await self._pass_by(hook, window.upto, now)
        if hook is not self._hook and self._hook.failing_since is None and window.is_more:
            return now
        soonest = [now + POLL, window.next_at or now + POLL]
        return now if window.is_more and not is_failing else min(soonest)

    async def _take(self, hook: Hook, now: datetime, *, is_failing: bool, knocks: bool) -> Window:
        """Answer what to deliver now. To a failing address one event: one that is due, else a new one now and then."""
        if not is_failing:
            return await self._store.hook_window(hook, after=self._at, now=now, due=DUE, fresh=FRESH)
        window = await self._store.hook_window(hook, after=self._at, now=now, due=1, fresh=1 if knocks else 0)
        if knocks:
            self._knock_at = self._clock.monotonic() + KNOCK_EVERY
        if window.again:
            return replace(window, fresh=(), behind=(), upto=self._at)
        return window

    async def _deliver(self, hook: Hook, window: Window, keys: Sequence[bytes], now: datetime) -> None:
        chains = _chains(window, now)
        on_its_way = _Round(iter(chains))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(HANDS, len(chains))):
                    group.create_task(self._hand(hook, on_its_way, keys))
        finally:  # cut short too: what was taken is written down, and the rest keeps its place
            await to_the_end(self._settle(hook, window, chains, on_its_way, now))

    async def _hand(self, hook: Hook, on_its_way: _Round, keys: Sequence[bytes]) -> None:
        """Carry one chain after the other: what is in one belongs together, and keeps its order."""
        for chain in on_its_way.chains:
            if on_its_way.is_over:
                return
            for each in chain:
                if not await self._carry(hook, each, on_its_way, keys):
                    break

    async def _carry(self, hook: Hook, each: Try, on_its_way: _Round, keys: Sequence[bytes]) -> bool:
        """Hand one notice over; says whether the next of its chain may follow."""
        now = self._clock.now()
        body = self._write(each.notice)
        name = notice_id(each.notice.id)
        called = await self._calls.post(hook.url, body, headers_of(name, now, body, keys))
        delivery = self._judged(hook, each, called, on_its_way)
        on_its_way.done.append(delivery)
        self._tally.count(hook.id, is_taken=called.trouble is None)
        took_ms = called.took // timedelta(milliseconds=1)
        # A receiver may repeat what it was told: what somebody wrote to us is remembered nowhere but in the inbox.
        shown = called.shown if each.notice.received is None else None
        heard = Heard(at=self._clock.now(), status=called.status, took_ms=took_ms, shown=shown)
        self._tally.remember(hook.id, each.notice.id, heard)
        return delivery.state is not DeliveryState.WAITING

    def _judged(self, hook: Hook, each: Try, called: Called, on_its_way: _Round) -> Delivery:
        now, tries = self._clock.now(), each.tries + 1
        delivery = Delivery(
            notice=each.notice,
            state=DeliveryState.DONE,
            tries=tries,
            tried_at=now,
            status=called.status,
            trouble=called.trouble and called.trouble.value,
            took_ms=called.took // timedelta(milliseconds=1),
        )
        if called.trouble is None:
            on_its_way.has_worked = True
            return delivery
        on_its_way.misses += 1
        on_its_way.is_gone = on_its_way.is_gone or called.status == _GONE
        if called.retry_after is not None and called.status in _BUSY:
            self._quiet_until = self._clock.monotonic() + called.retry_after.total_seconds()
        again = retry_at(tries, now, self._rng, DELIVERIES)
        if again is None:
            if hook.failing_since is not None and hook.failing_since <= each.since:  # it is not this event's fault
                on_its_way.is_hopeless = True
                return replace(delivery, state=DeliveryState.WAITING, next_at=now)
            return replace(delivery, state=DeliveryState.GIVEN_UP)
        if called.retry_after is not None:
            again = max(again, now + called.retry_after)
        return replace(delivery, state=DeliveryState.WAITING, next_at=again)

    async def _settle(
        self, hook: Hook, window: Window, chains: Sequence[Sequence[Try]], on_its_way: _Round, now: datetime
    ) -> None:
        """Write down what became of a window: nothing of it is left without a row, so that the place may move on."""
        failing_since = hook.failing_since
        if on_its_way.has_worked:
            failing_since = None
        elif on_its_way.misses:
            failing_since = failing_since or now
        is_a_knock = hook.failing_since is not None and not window.again
        if is_a_knock and failing_since is not None and not on_its_way.is_gone:
            return  # it was only tried whether somebody is there again: the event stays where it is
        tried = {each.notice.id for each in on_its_way.done}
        soon = now + DELIVERIES[0] if on_its_way.misses else now
        rows = [*on_its_way.done]
        for chain in chains:
            left = [each for each in chain if each.notice.id not in tried]
            is_first = len(left) == len(chain)
            rows += [
                Delivery(
                    notice=each.notice,
                    state=DeliveryState.WAITING,
                    tries=each.tries,
                    next_at=soon if is_first and each is left[0] else None,
                )
                for each in left
            ]
        rows += [Delivery(notice=each, state=DeliveryState.WAITING, tries=0) for each in window.behind]
        await self._store.settle_window(
            hook.id,
            sorted(rows, key=lambda row: row.notice.id),
            stood_at=hook.cursor,
            upto=window.upto,
            failing_since=failing_since,
            is_well_again=failing_since is None and hook.failing_since is not None,
            now=self._clock.now(),
        )
        if failing_since is not None and hook.failing_since is None:
            _log.warning("hook_fails", extra={"hook_id": hook.id})
        if self._hook is hook:
            self._hook = replace(hook, cursor=window.upto, failing_since=failing_since)
            self._at = window.upto
        if on_its_way.is_gone:
            await self._close(CloseReason.GONE, now)
        elif on_its_way.is_hopeless:
            await self._close(CloseReason.FAILED_LONG, now)

    async def _pass_by(self, hook: Hook, upto: int, now: datetime) -> None:
        """Go past events that are none of the hook's; its place is written now and then."""
        if self._hook is hook:
            self._at = upto
        if upto - hook.cursor >= _MOVE_AFTER:
            await self._store.settle_window(
                hook.id,
                (),
                stood_at=hook.cursor,
                upto=upto,
                failing_since=hook.failing_since,
                is_well_again=False,
                now=now,
            )
            if self._hook is hook:
                self._hook = replace(hook, cursor=upto)

    async def _close(self, reason: CloseReason, now: datetime) -> None:
        self._hook = await self._store.close_hook(self._hook.id, reason, now=now)
        _log.warning("hook_closed", extra={"hook_id": self._hook.id, "reason": reason.value})


def _chains(window: Window, now: datetime) -> Sequence[Sequence[Try]]:
    """Answer what belongs together: each delivery that is due by itself, and the new events of each subject."""
    chains: dict[int, list[Try]] = {}
    for notice in window.fresh:
        chains.setdefault(notice.subject, []).append(Try(notice=notice, tries=0, since=now))
    return [*([each] for each in window.again), *chains.values()]


class Couriers:
    """The courier of every hook, each a loop of its own."""

    def __init__(
        self,
        *,
        store: Store,
        seal: Seal,
        open_way: Callable[[], Calls],
        write: Callable[[Notice], bytes],
        clock: Clock,
        rng: Random,
    ) -> None:
        """Take how the way out is opened: nothing of it is loaded before there is a hook."""
        self._store = store
        self._seal = seal
        self._open_way = open_way
        self._write = write
        self._clock = clock
        self._rng = rng
        self._calls: Calls | None = None
        self._couriers: dict[int, Courier] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._bells: dict[int, asyncio.Event] = {}
        self.bell = asyncio.Event()
        self.tally = Tally()

    @property
    def calls(self) -> Calls:
        """Answer the way out, opened when it is first asked for."""
        self._calls = self._calls or self._open_way()
        return self._calls

    def body_of(self, notice: Notice) -> bytes:
        """Answer the body in which a notice travels."""
        return self._write(notice)

    async def step(self, now: datetime) -> datetime:
        """Read the hooks; begin a courier for each new one, end those of removed ones."""
        hooks = {hook.id: hook for hook in await self._store.hooks()}
        for hook_id in self._couriers.keys() - hooks.keys():
            await self._end(hook_id)
            self.tally.heard.pop(hook_id, None)
        for hook in hooks.values():
            if hook.id in self._couriers:
                self._couriers[hook.id].refresh(hook)
                self._bells[hook.id].set()
            else:
                self._begin(hook)
        return now + REREAD

    def heard(self, committed: Committed) -> None:
        """Hear of a commit: there may be something to tell."""
        if committed.standings or committed.lines or committed.received:
            for bell in self._bells.values():
                bell.set()

    async def rest(self) -> None:
        """End every courier: another gateway carries from now on, and what was taken is written down."""
        await asyncio.gather(*(self._end(hook_id) for hook_id in list(self._couriers)))

    async def close(self) -> None:
        """End every courier: what was taken is written down."""
        await asyncio.gather(*(self._end(hook_id) for hook_id in list(self._couriers)))
        if self._calls is not None:
            await self._calls.close()
            self._calls = None

    def courier(self, hook: Hook) -> Courier:
        """Make the courier of a hook."""
        return Courier(
            hook,
            store=self._store,
            calls=self.calls,
            seal=self._seal,
            write=self._write,
            clock=self._clock,
            rng=self._rng,
            tally=self.tally,
        )

    def _begin(self, hook: Hook) -> None:
        bell = self._bells[hook.id] = asyncio.Event()
        courier = self._couriers[hook.id] = self.courier(hook)
        name = f"hook-{hook.id}"
        self._tasks[hook.id] = asyncio.create_task(keep(name, courier.step, clock=self._clock, bell=bell), name=name)

    async def _end(self, hook_id: int) -> None:
        """End one courier; asked twice at a time, both wait until it has written down what was taken."""
        task = self._tasks[hook_id]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._tasks.pop(hook_id, None)
        self._couriers.pop(hook_id, None)
        self._bells.pop(hook_id, None)
