"""How long a caller is kept: not for a message or a batch that can't leave before their wait is over."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.gateway.house import ISTANBUL, House, World, batch, numbers, seconds
from tests.gateway.pacing import HOUR, QUIET, Sent, begin, rules

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.message import Status, WaitsFor
from guvercin.core.outcome import Deferred, LineEvent, Scope
from guvercin.core.pacing import Caps
from guvercin.gateway import requests
from guvercin.testing.transport import Act

EVENING = datetime(2026, 2, 23, 21, tzinfo=ISTANBUL).astimezone(UTC)
MORNING = datetime(2026, 2, 24, 9, tzinfo=ISTANBUL).astimezone(UTC)


async def heard(house: House, *, within: float, wait: float = 10, **more: Any) -> requests.Sent:
    """Ask, let the account have its turns, and answer what the caller hears, which must be soon."""
    calling = house.calling(wait=wait, **more)
    spent = 0.0
    while not calling.done() and spent < within:
        await house.dispatch()
        await house.clock.elapse(seconds(0.1))
        spent += 0.1
    assert calling.done(), "the caller is still kept"
    return await calling


async def test_quiet_hours_are_told_at_once_with_their_end(shop: House) -> None:
    shop.clock.jump_wall(EVENING - shop.clock.now())
    sent = await heard(shop, within=1, category=QUIET)
    assert (sent.standing.status, sent.waits_for, sent.waits_until) == (Status.QUEUED, WaitsFor.QUIET_HOURS, MORNING)


async def test_a_limit_is_told_at_once_with_its_end(world: World, sent: Sent) -> None:
    house = await begin(world, rules(warms_up=False, hourly=Caps(all=2, existing=2, new=1)))
    first = await heard(house, within=2)
    assert (first.standing.status, first.waits_for) == (Status.SENT, None)
    second = await heard(house, within=7, phone=numbers(9)[8])
    assert second.waits_for is WaitsFor.HOURLY
    assert second.waits_until is not None
    assert timedelta(minutes=50) < second.waits_until - sent.sends[0][0] <= HOUR + timedelta(minutes=1)
    await house.close()


async def test_a_wait_that_ends_in_time_is_waited_for(shop: House, sent: Sent) -> None:
    sent.act = Act(answer=Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=seconds(4)))
    calling = shop.calling(wait=10, category=1)
    for _ in range(10):
        await shop.dispatch()
        await shop.clock.elapse(seconds(0.1))
    assert not calling.done()
    sent.act = Act()
    for _ in range(60):
        await shop.dispatch()
        await shop.clock.elapse(seconds(0.1))
    assert (await calling).standing.status is Status.SENT


async def test_a_try_that_is_too_far_away_is_told(shop: House, sent: Sent) -> None:
    sent.act = Act(answer=Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=seconds(60)))
    answer = await heard(shop, within=1)
    assert answer.waits_for is WaitsFor.RETRY
    assert answer.waits_until is not None


async def test_a_line_that_rests_because_it_was_too_fast_is_told(shop: House, sent: Sent) -> None:
    """What was refused for its speed closes the line for a minute; the next caller is not kept until they give up."""
    sent.act = Act(answer=Deferred(reason=Code.PUSHED_BACK, pushed_back=True, scope=Scope.ACCOUNT))
    await heard(shop, within=1)
    rested_at = shop.clock.now()
    sent.act = Act()
    next_one = await heard(shop, within=2, phone=numbers(9)[8])
    assert (next_one.standing.status, next_one.waits_for) == (Status.QUEUED, Code.PUSHED_BACK)
    assert next_one.waits_until is not None
    assert timedelta(seconds=50) < next_one.waits_until - rested_at <= timedelta(seconds=61)


@pytest.mark.parametrize(
    ("news", "code", "until"),
    [(LineNews.LOGGED_OUT, Code.REMOVED, None), (LineNews.BANNED, Code.TEMPORARY_BAN, HOUR)],
)
async def test_a_line_that_stays_down_is_told_at_once(
    house: House, news: LineNews, code: Code, until: timedelta | None
) -> None:
    ends = None if until is None else house.clock.now() + until
    house.world.peer.hang_up(LineEvent(news=news, code=code, until=ends))
    await house.clock.settle()
    answer = await heard(house, within=1)
    assert (answer.standing.status, answer.waits_for, answer.waits_until) == (Status.QUEUED, code, ends)


async def test_a_line_that_dropped_a_moment_ago_is_waited_for(house: House) -> None:
    house.world.peer.hang_up(LineEvent(news=LineNews.DROPPED, code=Code.LINE_DOWN))
    await house.clock.settle()
    calling = house.calling(wait=10)
    await house.clock.elapse(seconds(5))
    assert not calling.done()
    await house.clock.elapse(seconds(6))
    assert (await calling).standing.status is Status.QUEUED


async def test_a_bulk_of_the_evening_is_answered_at_once(shop: House) -> None:
    shop.clock.jump_wall(EVENING - shop.clock.now())
    ask = batch(*numbers(200), category=QUIET, is_of_customers=True)
    asking = asyncio.create_task(shop.gateway.bulk.send(shop.everything, ask, wait=seconds(25)))
    for _ in range(40):
        await shop.dispatch()
        await shop.clock.elapse(seconds(0.1))
    assert asking.done(), "nobody waits for a night"
    view = await asking
    assert (view.counts.queued, view.counts.failed) == (200, 0)


async def test_a_bulk_on_a_line_that_is_gone_is_answered_at_once(house: House) -> None:
    house.world.peer.hang_up(LineEvent(news=LineNews.LOGGED_OUT, code=Code.REMOVED))
    await house.clock.settle()
    view = await house.gateway.bulk.send(house.everything, batch(*numbers(3)), wait=seconds(25))
    assert view.counts.queued == 3
