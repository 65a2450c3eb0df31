"""When the night's work is done, and that it leaves turns for everybody else."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.gateway.house import ISTANBUL, House, World

from guvercin.core.rights import Destruction, Keeping
from guvercin.gateway.retention import PAUSE, Retention

EVENING = datetime(2026, 3, 1, 18, tzinfo=UTC)
NIGHT = datetime(2026, 3, 2, 0, 45, tzinfo=UTC)
"""03:45 in Istanbul."""

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
async def house(world: World) -> House:
    return await world.begin()


def retention(house: House, *, started_at: datetime = EVENING, keeping: Keeping | None = None) -> Retention:
    return Retention(store=house.store, keeping=keeping or Keeping(), zone=ISTANBUL, started_at=started_at)


async def run(work: Retention, now: datetime) -> int:
    """Step until there is nothing more to do now; answers how many parts it took."""
    parts = 0
    while (wake := await work.step(now)) <= now + PAUSE:
        assert wake > now, "everybody else has a turn"
        now, parts = wake, parts + 1
    return parts


async def nights(house: House) -> list[Destruction]:
    return list(await house.store.destructions(limit=99, below=None))


async def test_it_is_done_once_a_night(house: House) -> None:
    work = retention(house)
    for moment in (EVENING, EVENING + 5 * HOUR):
        assert await run(work, moment) == 0
    assert await run(work, NIGHT) > 0
    assert await run(work, NIGHT + HOUR) == 0
    assert await run(work, NIGHT + DAY) > 0
    assert [each.ended_at is not None for each in await nights(house)] == [True, True]


async def test_a_restart_does_it_no_second_time(house: House) -> None:
    await run(retention(house), NIGHT)
    assert await run(retention(house, started_at=NIGHT), NIGHT + HOUR) == 0
    assert len(await nights(house)) == 1


async def test_a_machine_that_is_off_by_night_does_it_by_day(house: House) -> None:
    await run(retention(house), NIGHT)
    noon = NIGHT + timedelta(days=1, hours=13)
    assert await run(retention(house, started_at=noon), noon) > 0


async def test_what_was_cut_short_goes_on_at_once(house: House) -> None:
    work = retention(house)
    await work.step(NIGHT)
    assert [each.ended_at for each in await nights(house)] == [None]
    assert await run(retention(house, started_at=NIGHT), NIGHT + 8 * HOUR) > 0
    assert [each.ended_at is not None for each in await nights(house)] == [True]


async def test_what_is_kept_for_ever_is_kept(house: House) -> None:
    number = await house.accept()
    await house.store.cancel(number, now=house.clock.now())
    later = house.clock.now() + timedelta(days=4_000)
    await run(
        retention(house, keeping=Keeping(texts=None, records=None, audit=None), started_at=later), later + 2 * DAY
    )
    kept = await house.store.message(number)
    assert kept is not None
    assert kept.content.text
    await run(retention(house, keeping=Keeping(records=None), started_at=later), later + 4 * DAY)
    kept = await house.store.message(number)
    assert kept is not None
    assert kept.content.text == ""
