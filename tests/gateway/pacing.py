"""An account that keeps rules, for tests that step it by hand: what it is given, and time that passes in strides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.gateway.house import ISTANBUL, House, World, batch, numbers, seconds

from guvercin.core.message import Status, WaitsFor
from guvercin.core.pacing import Pace
from guvercin.core.presets import PRESETS, Preset
from guvercin.testing.transport import Act
from guvercin.transports.base import Outgoing

MONDAY = datetime(2026, 2, 23, 10, tzinfo=ISTANBUL).astimezone(UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
QUIET = 5
"""The category of balance reminders, which keep quiet hours."""


def rules(**changes: object) -> Pace:
    pace = PRESETS[Preset.NORMAL]
    assert pace.rules is not None
    return replace(pace, rules=replace(pace.rules, **changes))  # type: ignore[arg-type]


class Sent:
    """A script that notes each hand-over: when it was, and to whom."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.act = Act()
        self.sends: list[tuple[datetime, str]] = []
        world.peer.script = self

    def __call__(self, message: Outgoing) -> Act:
        self.sends.append((self.world.clock.now(), message.recipient))
        return self.act

    @property
    def gaps(self) -> list[float]:
        return [(later - earlier).total_seconds() for (earlier, _), (later, _) in pairwise(self.sends)]

    def within(self, start: datetime, span: timedelta) -> int:
        return sum(start <= at < start + span for at, _ in self.sends)


async def begin(world: World, pace: Pace | None = None) -> House:
    house = await world.begin(gaps=pace or rules(warms_up=False))
    await house.tend()
    return house


async def bulk(house: House, how_many: int, *, first: int = 0, category: int = 10, **more: Any) -> None:
    """Accept a list to so many people who are customers."""
    await bulk_to(house, numbers(first + how_many)[first:], category=category, **more)


async def bulk_to(house: House, people: Sequence[str], **more: Any) -> None:
    """Accept a list to these customers."""
    ask = batch(*people, is_of_customers=True, body_hash=house.rng.randbytes(8), **more)
    await house.gateway.bulk.send(house.everything, ask, wait=seconds(0))


async def run(house: House, span: timedelta) -> None:
    """Let time pass, from one thing that may happen to the next: polls in which nothing can are left out."""
    end = house.clock.monotonic() + span.total_seconds()
    while (left := end - house.clock.monotonic()) > 0:
        wake = await house.dispatch()
        rest = (wake - house.clock.now()).total_seconds()
        if rest >= 1:
            rest = max(rest, await _quiet_for(house))
        await house.clock.elapse(seconds(max(0.001, min(left, rest))))


async def _quiet_for(house: House) -> float:
    """Answer the seconds in which nothing happens by itself: until a gap, a pause or a wait is over."""
    dispatcher = house.dispatcher()
    if dispatcher._wakes_at is not None:
        until: datetime = dispatcher._wakes_at
        return (until - dispatcher._steady_now()).total_seconds()
    asked = "SELECT min(waits_until), count(*) > count(waits_until), count(*) FROM message WHERE status = 'queued'"
    until_ms, has_line, waiting = await house.store._read(lambda one: one.exec_driver_sql(asked).one())
    if has_line or not waiting:
        return 0 if has_line else 3_600
    return float(until_ms / 1_000 - house.clock.now().timestamp())


async def waits(house: House) -> Counter[WaitsFor | None]:
    return Counter(row.waits_for for row in await house.messages() if row.status is Status.QUEUED)


async def strangers(house: House, how_many: int, *, first: int) -> None:
    ask = batch(*numbers(first + how_many)[first:], body_hash=house.rng.randbytes(8))
    await house.gateway.bulk.send(house.everything, ask, wait=seconds(0))
