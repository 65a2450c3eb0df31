"""Not now: when a deferred message is tried again, what it holds back meanwhile, and when it is given up."""

from collections import Counter
from datetime import timedelta

import pytest
from tests.gateway.house import FIRST, SECOND, House, World, batch, seconds

from guvercin.core.errors import Code
from guvercin.core.message import Status, WaitsFor
from guvercin.core.outcome import Deferred, Outcome
from guvercin.core.retry import JITTER, SCHEDULE
from guvercin.testing.transport import LINE_DOWN, Act
from guvercin.transports.base import Outgoing

PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)


class Reluctant:
    """A script that turns the first messages to a number away, and notes what arrives."""

    def __init__(self, world: World, **times: int) -> None:
        self.left = Counter({FIRST: times.get("first", 0), SECOND: times.get("second", 0)})
        self.answer: Outcome = PUSHED_BACK
        self.world = world
        world.peer.script = self

    def __call__(self, message: Outgoing) -> Act:
        if self.left[message.recipient] > 0:
            self.left[message.recipient] -= 1
            return Act(arrives=False, answer=self.answer)
        return Act()

    @property
    def arrived(self) -> list[int]:
        return [arrived.message.message_id for arrived in self.world.peer.arrivals]


async def wait_out(house: House, number: int) -> timedelta:
    """Let time pass until a deferred message is due again, and put it back in line; answers how long that was."""
    until = (await house.message(number)).waits_until
    assert until is not None
    wait = until - house.clock.now()
    house.clock.advance(wait - timedelta(milliseconds=1))
    await house.keep_up()
    assert (await house.message(number)).waits_for is WaitsFor.RETRY, "not a moment too early"
    house.clock.advance(timedelta(milliseconds=1))
    await house.keep_up()
    assert (await house.message(number)).waits_for is None
    return wait


async def test_what_is_worth_one_more_try_gets_one(house: House) -> None:
    reluctant = Reluctant(house.world, first=100)
    reluctant.answer = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, most_attempts=2)
    number = await house.accept()
    await house.dispatch()
    await wait_out(house, number)
    await house.dispatch()
    message = await house.message(number)
    assert (message.status, message.reason, message.attempts) == (Status.FAILED, Code.RETRIES_EXHAUSTED, 2)
    assert reluctant.arrived == []


async def test_it_is_tried_by_the_schedule_and_then_given_up(house: House) -> None:
    Reluctant(house.world, first=100)
    number = await house.accept(lifetime=timedelta(days=2))
    waits = []
    for attempt in range(1, len(SCHEDULE) + 1):
        await house.dispatch()
        message = await house.message(number)
        assert (message.status, message.reason, message.attempts) == (Status.QUEUED, Code.PUSHED_BACK, attempt)
        waits.append(await wait_out(house, number))
    for wait, planned in zip(waits, SCHEDULE, strict=True):
        assert planned * (1 - JITTER) - seconds(0.001) <= wait <= planned * (1 + JITTER)
    await house.dispatch()
    message = await house.message(number)
    assert (message.status, message.reason) == (Status.FAILED, Code.RETRIES_EXHAUSTED)
    assert message.attempts == len(SCHEDULE) + 1 == len(house.world.peer.handed)
    assert len({handed.secret for handed in house.world.peer.handed}) == message.attempts, "each attempt has its secret"


async def test_the_network_may_name_the_moment_but_not_the_number_of_tries(house: House) -> None:
    script = Reluctant(house.world, first=100)
    script.answer = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=seconds(7))
    number = await house.accept()
    for _ in SCHEDULE:
        await house.dispatch()
        assert await wait_out(house, number) == seconds(7)
    await house.dispatch()
    assert (await house.message(number)).reason is Code.RETRIES_EXHAUSTED


@pytest.mark.parametrize("retry_after", [None, seconds(3)])
async def test_not_our_turn_never_counts(house: House, retry_after: timedelta | None) -> None:
    script = Reluctant(house.world, first=40)
    script.answer = Deferred(reason=Code.LINE_DOWN, pushed_back=False, retry_after=retry_after)
    number = await house.accept()
    for _ in range(40):
        await house.dispatch()
        message = await house.message(number)
        assert (message.status, message.attempts, message.reason) == (Status.QUEUED, 0, Code.LINE_DOWN)
        assert await wait_out(house, number) == (retry_after or seconds(1))
    await house.dispatch()
    message = await house.message(number)
    assert (message.status, message.attempts, message.reason) == (Status.SENT, 1, None)


async def test_a_line_that_closes_under_a_claim_costs_nothing(house: House) -> None:
    """The line is gone and nobody has been told so yet."""
    number = await house.accept()
    house.world.peer.has_hung_up = True
    await house.dispatch()
    message = await house.message(number)
    assert (message.status, message.attempts, message.reason) == (Status.QUEUED, 0, LINE_DOWN.reason)
    house.world.peer.has_hung_up = False
    await wait_out(house, number)
    await house.dispatch()
    assert await house.status(number) is Status.SENT


async def test_a_deferred_row_holds_back_the_later_ones_of_its_recipient(house: House) -> None:
    script = Reluctant(house.world, first=1)
    first, second = await house.accept(FIRST), await house.accept(FIRST)
    other = await house.accept(SECOND)
    third = await house.accept(FIRST)
    await house.deliver_all()
    assert script.arrived == [other]
    assert (await house.message(second)).waits_for is WaitsFor.EARLIER
    await wait_out(house, first)
    fourth = await house.accept(FIRST)
    await house.deliver_all()
    assert script.arrived == [other, first, second, third, fourth]


async def test_a_second_deferral_holds_them_back_again(house: House) -> None:
    script = Reluctant(house.world, first=3)
    numbers = [await house.accept(FIRST) for _ in range(4)]
    for _ in range(3):
        await house.deliver_all()
        assert script.arrived == []
        await wait_out(house, numbers[0])
    await house.deliver_all()
    assert script.arrived == numbers


async def test_those_behind_a_row_that_was_withdrawn_keep_their_order(house: House) -> None:
    script = Reluctant(house.world, first=1)
    first, second = await house.accept(FIRST), await house.accept(FIRST)
    await house.deliver_all()
    await house.gateway.messages.cancel(house.everything, first)
    third = await house.accept(FIRST)
    for _ in range(12):
        await house.deliver_all()
        await house.keep_up()
        house.clock.advance(seconds(1))
    assert script.arrived == [second, third]


async def test_a_row_of_higher_priority_is_not_held_back(house: House) -> None:
    script = Reluctant(house.world, first=1)
    await house.gateway.bulk.send(house.everything, batch(FIRST), wait=seconds(0))
    await house.dispatch()
    assert script.arrived == []
    single = await house.accept(FIRST)
    await house.deliver_all()
    assert script.arrived == [single]


async def test_a_restart_neither_forgets_nor_hurries_a_retry(world: World) -> None:
    script = Reluctant(world, first=2)
    house = await world.begin()
    await house.tend()
    number, later = await house.accept(FIRST), await house.accept(FIRST)
    for _ in range(2):
        await house.deliver_all()
        attempts = (await house.message(number)).attempts
        await house.crash()
        house = await world.begin()
        await house.recover()
        await house.tend()
        assert (await house.message(number)).attempts == attempts
        await house.deliver_all()
        assert script.arrived == []
        await wait_out(house, number)
    await house.deliver_all()
    assert script.arrived == [number, later]
    await house.close()


async def test_a_deferred_row_ends_with_its_lifetime(house: House) -> None:
    Reluctant(house.world, first=100)
    number = await house.accept(lifetime=timedelta(minutes=2))
    expires_at = (await house.message(number)).expires_at
    while await house.status(number) is Status.QUEUED:
        await house.dispatch()
        house.clock.advance(seconds(1))
        await house.keep_up()
    message = await house.message(number)
    assert (message.status, message.reason) == (Status.FAILED, Code.EXPIRED)
    assert house.clock.now() == expires_at
    assert len(house.world.peer.handed) < len(SCHEDULE)


async def test_the_wait_of_a_caller_goes_on_over_a_retry(house: House) -> None:
    script = Reluctant(house.world, first=1)
    script.answer = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, retry_after=seconds(2))
    calling = house.calling(wait=10)
    await house.clock.settle()
    await house.dispatch()
    await house.clock.elapse(seconds(2))
    assert not calling.done()
    await house.keep_up()
    await house.dispatch()
    await house.clock.settle()
    assert calling.result().standing.status is Status.SENT
