"""A dispatcher under a lease: what is over when the moment comes is not claimed, and not sent if it was claimed."""

import asyncio

import pytest
from tests.gateway.house import ISTANBUL, House, World, seconds

from guvercin.core.errors import Code
from guvercin.core.event import EventKind
from guvercin.core.message import Status, WaitsFor
from guvercin.core.outcome import Deferred
from guvercin.gateway.courses import hours_in
from guvercin.gateway.dispatcher import Dispatcher
from guvercin.gateway.hands import Hands
from guvercin.gateway.leases import FOR_EVER, Alone, Lease
from guvercin.testing.transport import Act
from guvercin.transports.base import Outgoing


def under(house: House, lease: Lease) -> Dispatcher:
    """Answer a dispatcher of account 1 that holds this lease."""
    return Dispatcher(
        1,
        store=house.store,
        sessions=house.sessions,
        spool_path=house.spool.path,
        hours=hours_in(ISTANBUL),
        clock=house.clock,
        rng=house.rng,
        lease=lease,
    )


async def test_nothing_is_claimed_once_the_lease_is_over(house: House, world: World) -> None:
    lease = Lease(0, world.clock.monotonic() + 10, world.clock.monotonic)
    dispatcher = under(house, lease)
    waiting = await house.accept()
    world.clock.advance(seconds(10))
    await dispatcher.step(world.clock.now())
    assert (await house.status(waiting), await house.events(EventKind.MESSAGE_CLAIMED)) == (Status.QUEUED, [])
    lease.good_until = world.clock.monotonic() + 10  # renewed
    await dispatcher.step(world.clock.now())
    assert await house.status(waiting) is Status.SENT


async def test_what_was_claimed_before_is_not_sent_after(house: House, world: World) -> None:
    """A process is frozen between the claim and the send, and woken when another one may have the account."""
    lease = Lease(0, world.clock.monotonic() + 10, world.clock.monotonic)
    dispatcher = under(house, lease)
    waiting = await house.accept()

    house.store.writer.on_event = lambda: world.clock.advance(seconds(11))
    await dispatcher.step(world.clock.now())
    house.store.writer.on_event = lambda: None
    row = await house.message(waiting)
    assert world.peer.handed == []
    assert (row.status, row.waits_for, row.attempts) == (Status.QUEUED, WaitsFor.RETRY, 0)
    assert row.reason is Code.CLOSING


async def test_the_line_is_told_until_when_a_message_may_leave(house: House, world: World) -> None:
    lease = Lease(0, world.clock.monotonic() + 10, world.clock.monotonic)
    asked: list[bool] = []

    def script(message: Outgoing) -> Act:
        asked.append(message.may_leave())
        world.clock.advance(seconds(11))
        asked.append(message.may_leave())
        return Act(arrives=False, answer=Deferred(reason=Code.CLOSING, pushed_back=False))

    world.peer.script = script
    await house.accept()
    await under(house, lease).step(world.clock.now())
    assert asked == [True, False]
    assert world.peer.arrivals == []


async def test_many_hands_keep_a_lease_as_one_does(house: House, world: World) -> None:
    lease = Lease(0, world.clock.monotonic(), world.clock.monotonic)
    hands = Hands(
        1,
        store=house.store,
        sessions=house.sessions,
        spool_path=house.spool.path,
        hours=hours_in(ISTANBUL),
        clock=house.clock,
        rng=house.rng,
        bell=asyncio.Event(),
        pools={},
        lease=lease,
    )
    waiting = await house.accept()
    await hands.step(world.clock.now())
    assert await house.status(waiting) is Status.QUEUED


@pytest.mark.parametrize("account", [1, 7])
async def test_who_is_alone_has_everything_for_ever(account: int) -> None:
    alone = Alone()
    assert alone.of(account) is FOR_EVER is await alone.want(account)
    assert FOR_EVER.is_good()
    assert alone.owned() is None
    assert alone.is_on_duty()
    assert (list(alone.lost()), list(alone.leaving())) == ([], [])
