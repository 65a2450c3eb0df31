"""The loops together: they start in order, live through trouble, and stop so that nothing in hand is forgotten."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.gateway.house import FIRST, SECOND, House, World, batch, numbers, pace, seconds, turn

from guvercin.core.account import Kind
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Status, WaitsFor
from guvercin.gateway.clock import SystemClock, within
from guvercin.gateway.leases import Alone, Lease
from guvercin.gateway.loop import AFTER_TROUBLE, keep
from guvercin.gateway.loops import STOP_LIMIT
from guvercin.store.seen import NAME
from guvercin.testing.clock import ManualClock
from guvercin.testing.transport import Act


async def start(world: World) -> House:
    house = await world.begin()
    await house.loops.start()
    await house.clock.settle()
    return house


async def stop(house: House, most: float = STOP_LIMIT) -> float:
    """Stop the loops as main does; answers how many seconds that took, which must not be more than `most`."""
    began = house.clock.monotonic()
    house.gateway.close()
    stopping = asyncio.create_task(house.loops.stop())
    while not stopping.done():
        await house.clock.elapse(seconds(0.01))
        assert house.clock.monotonic() - began <= most + 0.05
    stopping.result()
    assert not house.tasks(), "a stop leaves no task behind"
    return house.clock.monotonic() - began


# -- running


async def test_a_message_goes_all_the_way_by_itself(world: World) -> None:
    house = await start(world)
    calling = house.calling()
    await house.clock.settle()
    assert calling.result().standing.status is Status.SENT, "the bell wakes the dispatcher: no time passes"
    await stop(house)
    await house.close()


async def test_without_any_announcement_it_takes_a_poll(world: World) -> None:
    house = await start(world)
    house.store.writer._listeners.clear()
    calling = house.calling()
    await house.clock.elapse(seconds(2.1))
    assert calling.result().standing.status is Status.SENT
    await stop(house)
    await house.close()


async def test_a_batch_is_finished_within_the_wait(world: World) -> None:
    house = await start(world)
    await house.store.change_account(1, now=house.clock.now(), pace=pace((0.2, 0.2)))
    await house.clock.elapse(seconds(1))
    began = house.clock.monotonic()
    calling = asyncio.create_task(
        house.gateway.bulk.send(house.everything, batch(*numbers(20)), wait=seconds(25)),
    )
    while not calling.done():
        await house.clock.elapse(seconds(0.1))
    view = calling.result()
    assert (view.counts.total, view.counts.sent, view.counts.is_finished, view.finish_at) == (20, 20, True, None)
    assert 3.7 <= house.clock.monotonic() - began <= 4.1
    await stop(house)
    await house.close()


async def test_a_new_account_gets_a_dispatcher_and_a_removed_one_loses_it(world: World) -> None:
    house = await start(world)
    added = await house.store.add_account("İkinci", Kind.SANDBOX, None, pace(), now=house.clock.now())
    calling = house.calling(account_id=added.id)
    await house.clock.settle()
    assert calling.result().standing.status is Status.SENT
    await house.gateway.accounts.remove(house.everything, added.id)
    await house.clock.elapse(seconds(1))
    assert f"dispatcher-{added.id}" not in {task.get_name() for task in house.tasks()}
    assert house.sessions.account_ids() == {1}
    await stop(house)
    await house.close()


async def test_a_line_that_opens_wakes_its_dispatcher(world: World) -> None:
    house = await start(world)
    world.peer.hang_up()
    await house.clock.settle()
    number = await house.accept()
    world.peer.script = lambda _: Act()
    await house.gateway.accounts.resume(house.everything, 1)
    await house.clock.settle()
    assert await house.status(number) is Status.SENT
    await stop(house)
    await house.close()


async def test_the_loops_live_through_a_sick_store(world: World, caplog: pytest.LogCaptureFixture) -> None:
    house = await start(world)
    house.store.writer.refuses = True
    await house.clock.elapse(seconds(10))
    assert "loop_step_failed" not in caplog.messages, "weather is no mistake of ours"
    house.store.writer.refuses = False
    await house.clock.elapse(seconds(1))
    calling = house.calling()
    await house.clock.settle()
    assert calling.result().standing.status is Status.SENT
    await stop(house)
    await house.close()


class Lent(Alone):
    """A lease that is another gateway's from a moment on."""

    is_shared = True

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[int] = set()

    def of(self, account_id: int) -> Lease | None:
        return None if account_id in self.gone else super().of(account_id)

    def lost(self) -> set[int]:
        return set(self.gone)


async def test_what_left_is_written_down_late_though_its_account_is_lost(world: World) -> None:
    """The database is away for longer than the lease, and WhatsApp's answer comes meanwhile."""
    gate = asyncio.Event()
    world.peer.script = lambda _: Act(gate=gate)
    house = await world.begin()
    lent = house.loops._leases = Lent()
    await house.loops.start()
    message = await house.accept()
    await house.clock.settle()
    assert await house.status(message) is Status.SENDING
    house.store.writer.refuses = True
    gate.set()
    await house.clock.settle()
    lent.gone = {1}
    await house.clock.elapse(seconds(3))
    assert house.loops._dispatchers == {}
    house.store.writer.refuses = False
    await house.clock.elapse(seconds(3))
    assert await house.status(message) is Status.SENT
    await stop(house)
    await house.close()


async def test_what_a_crash_left_in_hand_is_in_doubt_before_anything_is_sent(world: World) -> None:
    world.peer.script = lambda _: Act(gate=asyncio.Event())
    house = await start(world)
    first, second = await house.accept(FIRST), await house.accept(SECOND)
    await house.clock.settle()
    assert await house.statuses() == [Status.SENDING, Status.QUEUED]
    await house.crash()
    world.peer.script = lambda _: Act()
    house = await start(world)
    assert await house.statuses() == [Status.SENT, Status.SENT], "its evidence is asked for at once"
    assert [world.peer.arrivals_of(number) for number in (first, second)] == [1, 1]
    await stop(house)
    await house.close()


async def test_a_restored_copy_is_held_before_anything_is_sent(world: World, caplog: pytest.LogCaptureFixture) -> None:
    house = await world.begin()
    number = await house.accept()
    await house.close()
    (world.folder / NAME).write_text("4711")
    house = await start(world)
    await house.clock.elapse(seconds(30))
    assert (await house.message(number)).waits_for is WaitsFor.RESTORED
    assert world.peer.handed == []
    assert "older_copy_held" in caplog.messages
    await stop(house)
    await house.close()


# -- stopping


async def test_an_idle_house_stops_at_once(world: World) -> None:
    house = await start(world)
    assert await stop(house, most=0.1) <= 0.05
    await house.close()


async def test_waiting_callers_are_answered_when_it_stops(world: World) -> None:
    house = await start(world)
    await house.gateway.accounts.pause(house.everything, 1)
    callers = [house.calling(phone) for phone in numbers(5)]
    bulk = asyncio.create_task(house.gateway.bulk.send(house.everything, batch(FIRST), wait=seconds(25)))
    await house.clock.elapse(seconds(1))
    house.gateway.close()
    await house.clock.settle()
    assert [caller.result().standing.status for caller in callers] == [Status.QUEUED] * 5
    assert bulk.result().counts.queued == 1
    await stop(house)
    await house.close()


async def test_a_send_in_hand_may_finish(world: World) -> None:
    world.peer.script = lambda _: Act(after=seconds(3))
    house = await start(world)
    numbers_ = [await house.accept() for _ in range(5)]
    await house.clock.elapse(seconds(1))
    assert 1.9 <= await stop(house) <= 2.1
    assert await house.status(numbers_[0]) is Status.SENT
    assert [await house.status(number) for number in numbers_[1:]] == [Status.QUEUED] * 4, "no new claims"
    assert len(world.peer.handed) == 1
    await house.close()


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_send_that_takes_too_long_is_in_doubt(world: World, *, arrives: bool) -> None:
    world.peer.script = lambda _: Act(arrives=arrives, gate=asyncio.Event())
    house = await start(world)
    number = await house.accept()
    await house.clock.settle()
    assert STOP_LIMIT - 0.05 <= await stop(house) <= STOP_LIMIT + 0.05
    message = await house.message(number)
    assert (message.status, message.reason) == (Status.UNKNOWN, Code.CUT_SHORT)
    await house.close()
    world.peer.script = lambda _: Act()
    house = await start(world)
    await house.clock.elapse(seconds(10))
    assert await house.status(number) is Status.SENT
    assert world.peer.arrivals_of(number) == 1
    await stop(house)
    await house.close()


async def test_a_claim_that_is_being_written_goes_back_in_line(world: World) -> None:
    house = await start(world)
    number = await house.accept(planned_at=house.clock.now() + seconds(3))
    await house.clock.elapse(seconds(2.9))
    writer = house.store.writer
    plain = writer.do

    async def hold_claims(work: Any) -> Any:
        if "claim" in work.__qualname__:
            writer.hold()
        return await plain(work)

    writer.do = hold_claims  # type: ignore[method-assign]
    await house.clock.elapse(seconds(0.5))
    house.gateway.close()
    stopping = asyncio.create_task(house.loops.stop())
    await house.clock.elapse(seconds(1))
    assert not stopping.done(), "the store decides how long it takes"
    writer.do = plain  # type: ignore[method-assign]
    writer.release()
    await house.clock.settle()
    stopping.result()
    message = await house.message(number)
    assert (message.status, message.reason, message.attempts) == (Status.QUEUED, Code.CLOSING, 0)
    assert world.peer.handed == []
    await house.close()
    house = await start(world)
    await house.clock.elapse(seconds(2))
    assert await house.status(number) is Status.SENT
    await stop(house)
    await house.close()


async def test_a_slow_store_is_waited_for(world: World) -> None:
    house = await start(world)
    gate = asyncio.Event()
    world.peer.script = lambda _: Act(gate=gate)
    number = await house.accept()
    await house.clock.settle()
    house.store.writer.hold()
    gate.set()
    await house.clock.settle()
    house.gateway.close()
    stopping = asyncio.create_task(house.loops.stop())
    await house.clock.elapse(seconds(STOP_LIMIT + 20))
    assert not stopping.done()
    house.store.writer.release()
    await house.clock.settle()
    stopping.result()
    assert await house.status(number) is Status.SENT
    await house.close()


async def test_a_store_that_refuses_costs_a_doubt_and_no_message(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    house = await start(world)
    gate = asyncio.Event()
    world.peer.script = lambda _: Act(gate=gate)
    number = await house.accept()
    await house.clock.settle()
    house.store.writer.refuses = True
    gate.set()
    await stop(house)
    assert "left_in_hand" in caplog.messages
    house.store.writer.refuses = False
    assert await house.status(number) is Status.SENDING
    await house.close()
    house = await start(world)
    assert await house.status(number) is Status.SENT
    assert world.peer.arrivals_of(number) == 1
    await stop(house)
    await house.close()


async def test_it_can_be_stopped_twice(world: World) -> None:
    world.peer.script = lambda _: Act(after=seconds(2))
    house = await start(world)
    number = await house.accept()
    await house.clock.settle()
    stops = [asyncio.create_task(house.loops.stop()) for _ in range(2)]
    await house.clock.elapse(seconds(2.1))
    assert all(stopping.done() for stopping in stops)
    await house.loops.stop()
    assert await house.status(number) is Status.SENT
    await house.close()


async def test_it_can_be_stopped_before_it_was_started(world: World) -> None:
    house = await world.begin()
    await house.loops.stop()
    await house.close()


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_at_no_moment_does_a_stop_leave_a_message_half_done(world: World, turns: int) -> None:
    house = await start(world)
    callers = [house.calling(phone) for phone in numbers(3)]
    await turn(turns)
    await stop(house)
    accepted = [caller for caller in callers if caller.exception() is None]
    assert len(accepted) == len(await house.statuses()), "who was refused has no row"
    assert set(await house.statuses()) <= {Status.QUEUED, Status.SENT, Status.UNKNOWN}
    await house.close()
    house = await start(world)
    await house.clock.elapse(seconds(10))
    assert set(await house.statuses()) <= {Status.SENT}
    for message in await house.messages():
        assert world.peer.arrivals_of(message.id) == 1
    await stop(house)
    await house.close()


# -- one loop


async def test_a_loop_steps_when_its_step_asked_for_it_or_the_bell_rings() -> None:
    clock, bell = ManualClock(), asyncio.Event()
    steps: list[float] = []
    began = clock.monotonic()

    async def step(now: datetime) -> datetime:
        steps.append(clock.monotonic() - began)
        return now + seconds(10)

    loop = asyncio.create_task(keep("test", step, clock=clock, bell=bell))
    await clock.elapse(seconds(25))
    assert steps == [0, 10, 20]
    bell.set()
    await clock.settle()
    assert steps[3:] == [25]
    for days in (400, -800):
        clock.jump_wall(timedelta(days=days))
        await clock.elapse(seconds(10))
    assert steps[4:] == [35, 45], "a wall clock that jumps neither shortens nor stretches a wait"
    loop.cancel()
    await clock.settle()
    assert loop.cancelled()


@pytest.mark.parametrize("trouble", [GuvercinError(Code.STORE_UNAVAILABLE), ValueError("ours")])
async def test_a_loop_survives_its_mistakes(trouble: Exception, caplog: pytest.LogCaptureFixture) -> None:
    clock, bell = ManualClock(), asyncio.Event()
    steps = 0

    async def step(_: datetime) -> datetime:
        nonlocal steps
        steps += 1
        raise trouble

    loop = asyncio.create_task(keep("test", step, clock=clock, bell=bell))
    await clock.elapse(10 * AFTER_TROUBLE)
    assert steps == 11
    assert len(caplog.records) == (11 if isinstance(trouble, ValueError) else 0)
    loop.cancel()
    await clock.settle()


async def test_within_answers_in_time_or_not_at_all() -> None:
    clock = ManualClock()
    ended: list[str] = []

    async def work(name: str, lasts: float) -> str:
        try:
            await clock.sleep_until(clock.monotonic() + lasts)
        finally:
            ended.append(name)
        return name

    short, long, cut = (
        asyncio.create_task(within(clock, 5, work(name, lasts)))
        for name, lasts in (("short", 4), ("long", 6), ("cut", 6))
    )
    await clock.elapse(seconds(1))
    cut.cancel()
    await clock.elapse(seconds(5))
    assert short.result() == "short"
    with pytest.raises(TimeoutError):
        long.result()
    assert cut.cancelled()
    assert ended == ["cut", "short", "long"], "whatever was given up has ended"


async def test_the_computer_s_clock_waits_for_a_bell_or_a_moment() -> None:
    clock, bell = SystemClock(), asyncio.Event()
    assert clock.now().tzinfo is not None
    await clock.wait(clock.monotonic() - 1, bell)
    await clock.sleep_until(clock.monotonic() - 1)
    bell.set()
    began = clock.monotonic()
    await clock.wait(began + 3600, bell)
    assert clock.monotonic() - began < 3600
