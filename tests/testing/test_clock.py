"""The clock that tests move by hand wakes sleepers in order, and never sleeps itself."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from guvercin.gateway.clock import Clock
from guvercin.testing.clock import ManualClock

START = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


async def test_time_moves_only_by_hand() -> None:
    clock: Clock = (manual := ManualClock(START))
    began = clock.monotonic()
    await manual.settle()
    assert (clock.now(), clock.monotonic()) == (START, began)
    manual.advance(seconds(90))
    assert (clock.now(), clock.monotonic()) == (START + seconds(90), began + 90)
    with pytest.raises(ValueError, match="only grows"):
        manual.advance(-seconds(1))


async def test_a_jump_of_the_wall_wakes_nobody() -> None:
    clock = ManualClock(START)
    sleeper = asyncio.create_task(clock.sleep_until(clock.monotonic() + 10))
    await clock.settle()
    for hours in (5, -10):
        clock.jump_wall(timedelta(hours=hours))
        await clock.settle()
    assert clock.now() == START - timedelta(hours=5)
    assert not sleeper.done()
    await clock.elapse(seconds(10))
    assert sleeper.done()


async def test_sleepers_wake_in_the_order_of_their_moments() -> None:
    clock = ManualClock(START)
    woken: list[tuple[str, float]] = []
    began = clock.monotonic()

    async def sleep(name: str, until: float) -> None:
        await clock.sleep_until(began + until)
        woken.append((name, clock.monotonic() - began))

    async with asyncio.TaskGroup() as group:
        for name, until in (("c", 3), ("a", 1), ("b", 2), ("b2", 2), ("now", 0), ("past", -5)):
            group.create_task(sleep(name, until))
        await clock.settle()
        assert woken == [("now", 0), ("past", 0)]
        clock.advance(seconds(2))
        await clock.settle()
        assert woken[2:] == [("a", 2), ("b", 2), ("b2", 2)]
        await clock.elapse(seconds(10))
    assert woken[5:] == [("c", 3)]


async def test_elapsed_time_stops_wherever_somebody_wakes() -> None:
    clock = ManualClock(START)
    ticks: list[datetime] = []

    async def tick() -> None:
        moment = clock.monotonic()
        while True:
            moment += 0.1
            await clock.sleep_until(moment)
            ticks.append(clock.now())

    ticking = asyncio.create_task(tick())
    await clock.elapse(seconds(100))
    assert len(ticks) == 1000
    assert all(abs(tick - START - seconds(0.1 * (index + 1))) < seconds(0.001) for index, tick in enumerate(ticks))
    assert abs(clock.now() - START - seconds(100)) < seconds(0.001)
    ticking.cancel()


async def test_a_wait_ends_by_the_moment_or_by_the_bell() -> None:
    clock = ManualClock(START)
    bell = asyncio.Event()
    others = asyncio.all_tasks()
    waits = [asyncio.create_task(clock.wait(clock.monotonic() + 5, bell)) for _ in range(2)]
    await clock.elapse(seconds(4.9))
    waits[0].cancel()
    await clock.settle()
    assert [wait.done() for wait in waits] == [True, False]
    await clock.elapse(seconds(0.1))
    assert waits[1].done()
    waiting = asyncio.create_task(clock.wait(clock.monotonic() + 5, bell))
    await clock.settle()
    assert not waiting.done()
    bell.set()
    await clock.settle()
    assert waiting.done()
    await clock.wait(clock.monotonic() + 5, bell)
    assert asyncio.all_tasks() == others


async def test_a_cancelled_sleeper_wakes_nobody() -> None:
    clock = ManualClock(START)
    sleeper = asyncio.create_task(clock.sleep_until(clock.monotonic() + 1))
    await clock.settle()
    sleeper.cancel()
    await clock.elapse(seconds(5))
    assert sleeper.cancelled()
    assert clock.now() == START + seconds(5)


async def test_settling_waits_for_long_chains_of_tasks() -> None:
    clock = ManualClock(START)
    depth = 0

    async def nest(levels: int) -> None:
        nonlocal depth
        depth += 1
        if levels:
            await asyncio.gather(nest(levels - 1))

    task = asyncio.create_task(nest(200))
    await clock.settle()
    assert task.done()
    assert depth == 201


async def test_settling_gives_up_on_the_restless() -> None:
    clock = ManualClock(START)

    async def spin() -> None:
        while True:
            await clock.sleep_until(0)

    spinning = asyncio.create_task(spin())
    with pytest.raises(RuntimeError, match="still busy"):
        await clock.settle()
    spinning.cancel()
