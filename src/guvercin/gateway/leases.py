"""Who runs which account: this process all of them, or one of several gateways its share.

Laws
1. What is held is held until a moment of the monotonic clock that was taken before the database was asked: whatever
   happens to this process or its network, it knows by itself when it has to stop.
2. A lease that was lost is never had again: it is taken anew, under a higher epoch, after what was in hand is ended.
3. What a gateway had in hand that had an account before is in doubt, and made so before anything is claimed.
4. Only what is held is renewed: what could not be given back, or was taken without our hearing of it, runs out.
5. Each gateway has its share, which all of them reckon alike from the gateways that live; one that has more gives back.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from math import inf
from typing import Protocol, TypeAlias, TypeVar

from guvercin.gateway.clock import Clock
from guvercin.store.leasing import DUTY, Division, LeaseRows, account_of, subject_of

T = TypeVar("T")

Recover: TypeAlias = Callable[[Collection[int] | None], Awaitable[None]]
"""Let what was in hand in these accounts be in doubt; null: in all of them."""

MARGIN = 0.1
"""The part of a lease's time that is left unused: clocks of two machines don't run alike."""

RENEWALS = 3
"""How often a lease is renewed in its time."""

_log = logging.getLogger(__name__)


class Lease:
    """The right to run one account, or a duty, until a moment of the monotonic clock."""

    __slots__ = ("_monotonic", "epoch", "good_until")

    def __init__(self, epoch: int, good_until: float, monotonic: Callable[[], float]) -> None:
        self.epoch = epoch
        self.good_until = good_until
        self._monotonic = monotonic

    def is_good(self) -> bool:
        """Say whether it is held at this moment. Asked right before what can't be undone."""
        return self._monotonic() < self.good_until


FOR_EVER = Lease(0, inf, lambda: 0.0)
"""That of a process which is alone on its database."""


def until_of(lease: Lease | None) -> float | None:
    """Answer until when of the monotonic clock an account is ours; null: for ever. One that isn't has had its time."""
    if lease is None:
        return 0.0
    return None if lease.good_until == inf else max(lease.good_until, 0.0)


class Leases(Protocol):
    """Which accounts are ours. `is_shared`: others may have what we haven't."""

    is_shared: bool

    async def open(self) -> None:
        """Become one of the gateways, and have the first share."""

    async def step(self) -> timedelta:
        """Keep what is held and have our share of the rest; answers when to be called again. Waits for no writer."""

    def lost(self) -> Collection[int]:
        """Answer accounts that we have no more: whoever runs them ends that, and says so by `give`."""

    def leaving(self) -> Collection[int]:
        """Answer accounts of ours that shall go to others: whoever runs them calls `part`, ends that, and `give`."""

    def part(self, account_ids: Collection[int]) -> None:
        """Have accounts no more, though nobody else can have them yet."""

    async def give(self, account_ids: Collection[int]) -> None:
        """Let accounts go that nobody here runs any more."""

    async def put_in_order(self) -> None:
        """Have what was taken, once what was in hand there before is in doubt."""

    def of(self, account_id: int) -> Lease | None:
        """Answer the lease of an account; null: it is not ours."""

    async def want(self, account_id: int) -> Lease | None:
        """Answer the lease of an account that was not ours when last looked at, and may be ours to take."""

    def owned(self) -> frozenset[int] | None:
        """Answer the accounts that are ours; null: all of them."""

    def is_on_duty(self) -> bool:
        """Say whether what has to be done once is ours to do."""

    def duty_epoch(self) -> int:
        """Answer under which epoch it is, for what must not be written by who has lost it; 0: there are no leases."""

    async def stand_down(self) -> None:
        """Take nothing any more, and let the others have the duty."""

    async def close(self) -> None:
        """Give back everything: nothing is run any more."""


class Alone:
    """Everything is ours: the folder's lock, or nobody else, says so."""

    is_shared = False

    def __init__(self, recover: Recover | None = None) -> None:
        self._recover = recover

    async def open(self) -> None:
        """Put in order what the last process had in hand."""
        if self._recover is not None:
            await self._recover(None)

    async def step(self) -> timedelta:
        """Answer that there is no hurry."""
        return timedelta(hours=1)

    def lost(self) -> Collection[int]:
        """Lose nothing."""
        return ()

    def leaving(self) -> Collection[int]:
        """Give nothing back."""
        return ()

    def part(self, account_ids: Collection[int]) -> None:
        """Keep everything."""

    async def give(self, account_ids: Collection[int]) -> None:
        """Keep everything."""

    async def put_in_order(self) -> None:
        """Have everything as it is."""

    def of(self, account_id: int) -> Lease | None:  # noqa: ARG002 -- as the protocol has it
        """Answer the one lease there is."""
        return FOR_EVER

    async def want(self, account_id: int) -> Lease | None:
        """Answer the one lease there is."""
        return self.of(account_id)

    def owned(self) -> frozenset[int] | None:
        """Answer that it is all of them."""
        return None

    def is_on_duty(self) -> bool:
        """Say that it is ours to do."""
        return True

    def duty_epoch(self) -> int:
        """Answer that there are no leases."""
        return 0

    async def stand_down(self) -> None:
        """Go on until the end."""

    async def close(self) -> None:
        """Leave nothing behind."""


class Shared:
    """Our share of the accounts of a database that other gateways run on, too."""

    is_shared = True

    def __init__(
        self,
        rows: LeaseRows,
        *,
        node: str,
        ttl: timedelta,
        clock: Clock,
        recover: Recover,
        on_neighbours: Callable[[bool], None] = lambda _: None,
        on_time: Callable[[datetime, datetime], None] | None = None,
    ) -> None:
        """Take the rows. `recover` makes what was in hand in some accounts doubtful.

        `on_neighbours` is told whether there are other gateways; `on_time` what time the database has, and since when.
        """
        self._rows = rows
        self._node = node
        self._ttl = ttl
        self._clock = clock
        self._recover = recover
        self._on_neighbours = on_neighbours
        self._on_time = on_time
        self._held: dict[str, Lease] = {}
        self._fresh: dict[str, Lease] = {}
        """Taken, and not put in order yet."""
        self._lost: set[int] = set()
        self._leaving: set[int] = set()
        self._parting: set[int] = set()
        self._taking, self._ordering = asyncio.Lock(), asyncio.Lock()
        """Two that take at once would take an account twice; two that put in order would doubt what is in hand by now.
        They are apart, because `step` waits for no writer."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="guvercin-leases")
        self._is_away = False
        self._is_closing = False

    async def open(self) -> None:
        """Become one of the gateways, and have the first share. DatabaseOwned."""
        await self._ask(self._rows.join)
        await self._tell_time()
        await self._share()
        await self.put_in_order()

    async def step(self) -> timedelta:
        """Keep what is held and have our share of the rest; answers when to be called again."""
        try:
            await self._renew()
            await self._tell_time()
            if not self._is_closing:
                await self._share()
            self._is_away = False
        except Exception as trouble:  # noqa: BLE001 -- whatever it is, the leases run out by themselves
            if not self._is_away:
                _log.warning("leases_not_renewed", extra={"trouble": type(trouble).__name__})
            self._is_away = True
            self._drop(lambda _, lease: not lease.is_good())
        return self._ttl / RENEWALS

    async def _tell_time(self) -> None:
        """Say what time the database has. No lease depends on it."""
        if self._on_time is not None:
            since = self._clock.now()
            self._on_time(await self._ask(self._rows.time), since)

    async def _renew(self) -> None:
        before = self._clock.monotonic()
        asked = {**self._held, **self._fresh}
        subjects = [*asked, *map(subject_of, self._parting)]
        found = await self._ask(lambda: self._rows.renew(subjects))
        for book in (self._held, self._fresh):
            for subject, lease in book.items():
                if asked.get(subject) is lease and found.get(subject) == lease.epoch:
                    lease.good_until = self._until(before)
        self._drop(lambda subject, lease: asked.get(subject) is lease and found.get(subject) != lease.epoch)

    def _drop(self, is_over: Callable[[str, Lease], bool]) -> None:
        """Have leases no more that are over."""
        lost = [subject for book in (self._held, self._fresh) for subject, it in book.items() if is_over(subject, it)]
        for subject in lost:
            lease = self._held.pop(subject, None) or self._fresh.pop(subject)
            lease.good_until = -inf
            account_id = account_of(subject)
            if account_id is not None:
                self._lost.add(account_id)
                self._leaving.discard(account_id)
        if lost:
            _log.warning("leases_lost", extra={"subjects": sorted(lost)})

    async def _share(self) -> None:
        async with self._taking:
            await self._take_share()

    async def _take_share(self) -> None:
        division = await self._ask(self._rows.division)
        self._on_neighbours(any(node != self._node for node in division.alive))
        share = share_of(self._node, division)
        all_held = {subject for subject in (*self._held, *self._fresh) if account_of(subject) is not None}
        have = all_held & division.owners.keys()
        self._choose_leaving(have, share)
        self._leaving |= {each for subject in all_held - have if (each := account_of(subject)) is not None}  # removed
        if len(have) < share:
            busy = all_held | set(map(subject_of, self._lost | self._parting))
            await self._took(lambda: self._rows.take(share - len(have), held=busy))
        if DUTY not in self._held:
            await self._took(self._rows.take_duty)

    def _choose_leaving(self, have: Collection[str], share: int) -> None:
        """Give back what is too much, the newest accounts first."""
        accounts = sorted(account for each in have if (account := account_of(each)) is not None)
        self._leaving = set(accounts[share:])

    async def _took(self, take: Callable[[], Mapping[str, int]]) -> None:
        before = self._clock.monotonic()
        for subject, epoch in (await self._ask(take)).items():
            book = self._fresh if account_of(subject) is not None else self._held
            book[subject] = Lease(epoch, self._until(before), self._clock.monotonic)

    def _until(self, before: float) -> float:
        return before + self._ttl.total_seconds() * (1 - MARGIN)

    def lost(self) -> Collection[int]:
        """Answer accounts that we have no more."""
        return frozenset(self._lost)

    def leaving(self) -> Collection[int]:
        """Answer accounts that shall go to others. One is among them until it is given: ending it may fail, too."""
        return frozenset(self._leaving | self._parting)

    def part(self, account_ids: Collection[int]) -> None:
        """Have accounts no more, though nobody else can have them yet."""
        for account_id in account_ids:
            if self._held.pop(subject_of(account_id), None) is not None:
                self._parting.add(account_id)
                self._leaving.discard(account_id)

    async def give(self, account_ids: Collection[int]) -> None:
        """Let accounts go that nobody here runs any more."""
        self._lost.difference_update(account_ids)
        subjects = [subject_of(each) for each in account_ids if each in self._parting]
        if subjects:
            _log.info("accounts_given", extra={"accounts": sorted(account_ids)})
            await self._quietly(lambda: self._rows.give(subjects))
        self._parting.difference_update(account_ids)

    async def put_in_order(self) -> None:
        """Have what was taken, once what was in hand there before is in doubt."""
        async with self._ordering:
            fresh = dict(self._fresh)
            accounts = {account_id for subject in fresh if (account_id := account_of(subject)) is not None}
            if not accounts:
                return
            await self._recover(accounts)
            for subject, lease in fresh.items():
                if self._fresh.get(subject) is lease:
                    self._held[subject] = self._fresh.pop(subject)
            _log.info("accounts_taken", extra={"accounts": sorted(accounts)})

    def of(self, account_id: int) -> Lease | None:
        """Answer the lease of an account; null: it is not ours."""
        return self._held.get(subject_of(account_id))

    async def want(self, account_id: int) -> Lease | None:
        """Answer the lease of an account that was not ours when last looked at: a new one may be ours to take."""
        if self.of(account_id) is None and not self._is_closing:
            try:
                await self._share()
            except Exception:  # noqa: BLE001 -- the next step meets it too, and says so
                return None
            await self.put_in_order()
        return self.of(account_id)

    def owned(self) -> frozenset[int] | None:
        """Answer the accounts that are ours."""
        found = (account_of(subject) for subject in self._held)
        return frozenset(account_id for account_id in found if account_id is not None)

    def is_on_duty(self) -> bool:
        """Say whether what has to be done once is ours to do."""
        lease = self._held.get(DUTY)
        return lease is not None and lease.is_good()

    def duty_epoch(self) -> int:
        """Answer under which epoch it is ours to do; one that nobody has had: it isn't."""
        lease = self._held.get(DUTY)
        return -1 if lease is None else lease.epoch

    async def stand_down(self) -> None:
        """Take nothing any more, and let the others have the duty."""
        self._is_closing = True
        if self._held.pop(DUTY, None) is not None:
            await self._quietly(lambda: self._rows.give([DUTY]))

    async def close(self) -> None:
        """Give back everything, and be no gateway any more."""
        self._is_closing = True
        subjects = [*self._held, *self._fresh, *map(subject_of, self._parting)]
        self._held.clear()
        self._fresh.clear()
        self._parting.clear()
        if subjects:
            await self._quietly(lambda: self._rows.give(subjects))
        await self._quietly(self._rows.leave)
        await self._quietly(self._rows.close)
        self._thread.shutdown(wait=False)

    async def _ask(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _quietly(self, work: Callable[[], None]) -> None:
        """Tell the database, which finds out by itself if it can't be told."""
        try:
            await self._ask(work)
        except Exception as trouble:  # noqa: BLE001 -- a lease that isn't given back runs out
            _log.warning("leases_not_given_back", extra={"trouble": type(trouble).__name__})


def share_of(node: str, division: Division) -> int:
    """Answer how many accounts a gateway should have, as every gateway reckons it.

    What is left over goes to those that have the most now, so that nothing moves without need.
    """
    has = Counter(division.owners.values())
    alive = sorted({*division.alive, node}, key=lambda each: (-has[each], each))
    each, rest = divmod(len(division.owners), len(alive))
    return each + (1 if alive.index(node) < rest else 0)
