"""What the rules of an account will do to what waits: when a bulk ends, what it waits for now, what is used of a limit.

Laws
1. A forecast runs the code that judges claims (core/forecast.py), in a thread, and is believed for a moment: a page of
   bulk sends asks for one, not for many.
2. Without rules a forecast is what is left times the mean gap.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from guvercin.core.account import Account
from guvercin.core.course import Ask, Course, Park, Wait
from guvercin.core.forecast import Crowd, look_ahead
from guvercin.core.hours import Hours
from guvercin.core.message import Courtesy, Lane, Level, WaitsFor, priority
from guvercin.core.pacing import ALL, EXISTING, NEW, Limit
from guvercin.core.restriction import Restriction
from guvercin.gateway.clock import Clock
from guvercin.gateway.courses import begin, from_steady_ms, to_steady_ms
from guvercin.gateway.recent import Recent
from guvercin.store.store import Store
from guvercin.store.verbs.pacing import Waiting

_FRESH = 3.0
"""Seconds for which a forecast is believed."""

NEW_BATCH = 1 << 59
"""The turn of a bulk that isn't made yet."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is ahead of one sender's rows: when each leaves, in order, and what they wait for now and until when.

    `waits`: what they wait for until the last has left, and for how long, beyond the gaps between messages.
    """

    moments: Sequence[datetime]
    waits_for: WaitsFor | None = None
    waits_until: datetime | None = None
    waits: Mapping[WaitsFor, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUse:
    """One limit of an account: what it counts, within which window, and how much of it is used now."""

    limit: Limit
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesUse:
    """How an account stands in its rules."""

    limits: Sequence[LimitUse]
    warm_days: int
    restrictions: Sequence[Restriction]


class Outlook:
    """What is ahead of the accounts that keep rules."""

    def __init__(self, *, store: Store, hours: Mapping[Courtesy, Hours], clock: Clock) -> None:
        self._store = store
        self._hours = hours
        self._clock = clock
        self._accounts: dict[int, Account] = {}
        """As they were last asked about: what is ahead depends on their paces."""
        self._recent: Recent[int, Mapping[int, Prospect]] = Recent(self._of_account, clock=clock, fresh=_FRESH, most=64)

    async def of_batch(self, account: Account, batch_id: int) -> Prospect | None:
        """Answer what is ahead of a batch; null for an account without rules, or if nothing of it waits."""
        if account.pace.rules is None:
            return None
        self._accounts[account.id] = account
        return (await self._recent.get(account.id)).get(batch_id)

    async def of_list(
        self,
        account: Account,
        numbers: Sequence[str],
        *,
        courtesy: Courtesy | None,
        level: Level,
        is_of_customers: bool,
        starts_at: datetime | None,
    ) -> Prospect | None:
        """Answer what would be ahead of a list of people; null for an account without rules."""
        if account.pace.rules is None:
            return None
        now = self._clock.now()
        tracks = await self._store.tracks_of(account.id, numbers, is_of_customers=is_of_customers, now=now)
        listed = [
            Waiting(
                turn=NEW_BATCH,
                lane=Lane.BULK,
                priority=priority(level, Lane.BULK),
                courtesy=courtesy,
                track=track,
                count=count,
                starts_at=starts_at,
            )
            for track, count in tracks.items()
        ]
        return (await self._ahead(account, listed, now)).get(NEW_BATCH)

    async def use(self, account: Account) -> RulesUse | None:
        """Answer how much an account has used of each limit; null for one without rules."""
        if account.pace.rules is None:
            return None
        now = self._clock.now()
        course, steady = await self._course(account, now)
        shown = {
            (limit.group, limit.window, limit.word): limit
            for limits in course.limits_at(steady).values()
            for limit in limits
        }
        return RulesUse(
            limits=[
                LimitUse(limit=limit, used=sum(at > steady - limit.window for at in course.sent[limit.group]))
                for limit in sorted(shown.values(), key=lambda one: (one.window, _ORDER[one.group], one.word))
            ],
            warm_days=course.warm_days,
            restrictions=[
                one for one in await self._store.restrictions(account.id) if one.until is None or one.until > now
            ],
        )

    async def _of_account(self, account_id: int) -> Mapping[int, Prospect]:
        return await self._ahead(self._accounts[account_id], (), self._clock.now())

    async def _ahead(self, account: Account, more: Sequence[Waiting], now: datetime) -> Mapping[int, Prospect]:
        course, steady = await self._course(account, now)
        waiting = [*await self._store.backlog(account.id, now=now), *more]
        crowds = [_crowd(row, course.offset) for row in waiting]
        waits = {crowd.ask.turn: _wait(course, crowd, steady) for crowd in crowds}
        found = await asyncio.to_thread(partial(look_ahead, course.fork(), crowds, steady))
        return {
            turn: Prospect(
                [from_steady_ms(at + course.offset) for at in ahead.moments],
                *waits[turn],
                waits={word: timedelta(milliseconds=length) for word, length in ahead.waits.items()},
            )
            for turn, ahead in found.items()
        }

    async def _course(self, account: Account, now: datetime) -> tuple[Course, int]:
        ledger = await self._store.ledger(account.id, now=now)
        rules = account.pace.rules
        assert rules is not None  # noqa: S101 -- asked before
        steady = ledger.steady_ms
        offset = to_steady_ms(now) - steady
        return begin(ledger, account.pace, rules, self._hours, steady=steady, offset=offset), steady


_ORDER: Mapping[str, int] = {ALL: 0, EXISTING: 1, NEW: 2}


def _crowd(row: Waiting, offset: int) -> Crowd:
    starts_at = 0 if row.starts_at is None else to_steady_ms(row.starts_at) - offset
    ask = Ask(lane=row.lane, track=row.track, turn=row.turn, courtesy=row.courtesy)
    return Crowd(ask=ask, count=row.count, priority=row.priority, starts_at=starts_at)


def _wait(course: Course, crowd: Crowd, steady: int) -> tuple[WaitsFor | None, datetime | None]:
    """Answer what the first of a crowd waits for now, if it is more than a gap."""
    match course.judge(
        Ask(lane=crowd.ask.lane, track=crowd.ask.track, courtesy=crowd.ask.courtesy, is_back=True), steady
    ):
        case Park(word=word, until=until):
            return word, from_steady_ms(until + course.offset)
        case Wait(until=until, is_breather=True):
            return WaitsFor.BREATHER, from_steady_ms(until + course.offset)
        case _:
            return None, None
