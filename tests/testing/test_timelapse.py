"""A loop whose time passes only when nobody has anything left to do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from guvercin.gateway.clock import Clock
from guvercin.testing.timelapse import LapseClock, TimelapseLoop

START = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def run(story: Callable[[LapseClock], Coroutine[Any, Any, None]]) -> None:
    loop = TimelapseLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(story(LapseClock(loop, START)))


def test_a_year_goes_by_in_the_order_of_its_moments() -> None:
    async def story(lapse: LapseClock) -> None:
        clock: Clock = lapse
        woken: list[tuple[int, datetime]] = []

        async def sleeper(days: int) -> None:
            await clock.sleep_until(clock.monotonic() + days * 86_400)
            woken.append((days, clock.now().replace(microsecond=0)))

        await asyncio.gather(*(sleeper(days) for days in (365, 1, 30)))
        assert woken == [(days, START + timedelta(days=days)) for days in (1, 30, 365)]

    run(story)


def test_a_bell_ends_a_wait_and_no_time_has_passed() -> None:
    async def story(clock: LapseClock) -> None:
        bell = asyncio.Event()
        waiting = asyncio.create_task(clock.wait(clock.monotonic() + 60, bell))
        await clock.settle()
        bell.set()
        await waiting
        assert clock.now() - START < seconds(0.001)
        await clock.wait(clock.monotonic() + 60, asyncio.Event())
        assert seconds(60) <= clock.now() - START < seconds(60.001)

    run(story)


def test_a_leap_wakes_whoever_has_waited_meanwhile_and_a_jump_of_the_wall_nobody() -> None:
    async def story(clock: LapseClock) -> None:
        until = clock.monotonic() + 60
        waiting = asyncio.create_task(clock.sleep_until(until))
        clock.jump_wall(timedelta(hours=2))
        await clock.elapse(seconds(1))
        assert not waiting.done()
        assert clock.now() == START + timedelta(hours=2, seconds=1)
        clock.advance(timedelta(hours=1))
        await clock.settle()
        assert waiting.done()
        with pytest.raises(ValueError, match="only grows"):
            clock.advance(-seconds(1))

    run(story)


def test_what_asks_for_a_thread_is_done_at_once() -> None:
    async def story(_: LapseClock) -> None:
        assert await asyncio.to_thread(sum, [1, 2]) == 3
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)

    run(story)


def test_where_everybody_waits_for_another_it_says_so() -> None:
    loop = TimelapseLoop()
    waiting = asyncio.Event().wait()
    with pytest.raises(RuntimeError, match="nothing would ever happen again"):
        loop.run_until_complete(waiting)
    for task in loop.tasks():
        task.cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()


def test_what_is_due_at_one_moment_is_called_in_the_order_of_asking_and_not_what_was_taken_back() -> None:
    called: list[int] = []
    loop = TimelapseLoop()
    for number in range(20):
        later = loop.call_at(loop.time() + 5, called.append, number)
        if number % 3 == 0:
            later.cancel()
    loop.call_later(5, loop.stop)
    loop.run_forever()
    loop.close()
    assert called == [number for number in range(20) if number % 3]


def test_a_wait_that_is_ended_as_it_is_over_has_been_ended() -> None:
    async def story(clock: LapseClock) -> None:
        until = clock.monotonic() + 60
        waiting = asyncio.create_task(clock.wait(until, asyncio.Event()))
        await asyncio.sleep(0)  # noqa: TID251 -- one turn of the loop
        asyncio.get_running_loop().call_at(until, waiting.cancel)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        bell = asyncio.Event()
        asyncio.get_running_loop().call_at(clock.monotonic() + 60, bell.set)
        await clock.wait(clock.monotonic() + 60, bell)
        await clock.wait(clock.monotonic() + 60, asyncio.Event())
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(story)


def test_a_generator_that_nobody_asks_any_more_ends_as_it_would_elsewhere() -> None:
    async def story(clock: LapseClock) -> None:
        ended: list[bool] = []

        async def numbers() -> AsyncIterator[int]:
            try:
                while True:
                    yield 1
            finally:
                await clock.settle()
                ended.append(True)

        async for number in numbers():
            assert number == 1
            break
        await clock.elapse(seconds(1))
        assert ended == [True]

    run(story)


def test_trouble_in_a_call_is_told_and_the_loop_goes_on() -> None:
    told: list[BaseException] = []
    loop = TimelapseLoop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    loop.call_soon(divmod, 1, 0)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert isinstance(told[0], ZeroDivisionError)
