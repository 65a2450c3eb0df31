"""How a day is played: on a loop of its own, and left with nothing behind."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.simulation.day import Day, Happening, Stage

from guvercin.testing.timelapse import TimelapseLoop


def play(
    seed: int, plan: Callable[[Day], list[Happening]], folder: Path, template: Path, stage: Stage | None = None
) -> Day:
    """Play one day on a loop of its own, and answer it. What breaks names its seed's last moments."""
    loop = TimelapseLoop()
    asyncio.set_event_loop(loop)
    day: Day | None = None

    async def whole() -> None:
        nonlocal day
        day = Day(seed, folder, template, stage)
        try:
            await day.run(plan(day))
        finally:
            day.end()

    try:
        loop.run_until_complete(whole())
    except BaseException as broken:
        if day is not None:
            broken.add_note("The last that happened:\n  " + "\n  ".join(day.journal[-40:]))
        raise
    finally:
        if day is not None:
            with suppress(Exception):
                loop.run_until_complete(_leave(day))
            day.oracle.close()
        asyncio.set_event_loop(None)
        loop.close()
    assert day is not None
    return day


async def _leave(day: Day) -> None:
    if day.house is not None:
        await day.house.crash()
    for task in list(day.world.outside):
        task.cancel()
        with suppress(BaseException):
            await task
