"""What one account may know and ask of numbers: a yes for a month, a no for a week, 200 questions a day."""

from datetime import timedelta

from tests.gateway.house import World

from guvercin.gateway.numbers import ABSENT_FOR, DAILY, REGISTERED_FOR, Numbers

HERE, GONE = "+905321234567", "+905321234568"
MOMENT = timedelta(seconds=1)


async def test_answers_are_believed_as_long_as_they_are_good_and_over_a_restart(world: World) -> None:
    house = await world.begin()
    before = Numbers(house.store, 1, house.clock)
    assert await before.known(HERE) is None
    await before.learn(HERE, is_registered=True)
    await before.learn(GONE, is_registered=False)
    await house.close()
    house = await world.begin()
    numbers = Numbers(house.store, 1, house.clock)
    house.clock.advance(ABSENT_FOR - MOMENT)
    assert (await numbers.known(HERE), await numbers.known(GONE)) == (True, False)
    house.clock.advance(MOMENT)
    assert (await numbers.known(HERE), await numbers.known(GONE)) == (True, None)
    house.clock.advance(REGISTERED_FOR - ABSENT_FOR)
    assert await numbers.known(HERE) is None
    await house.close()


async def test_after_a_days_questions_the_next_waits_for_the_first_to_be_a_day_old(world: World) -> None:
    house = await world.begin()
    numbers = Numbers(house.store, 1, house.clock)
    for number in range(DAILY):
        assert await numbers.ask(f"+90532{number:07}") is None
    await house.close()  # a restart makes no room
    house = await world.begin()
    numbers = Numbers(house.store, 1, house.clock)
    house.clock.advance(timedelta(hours=1))
    assert await numbers.ask(HERE) == timedelta(hours=23)
    house.clock.advance(timedelta(hours=23))
    assert await numbers.ask(HERE) is None
    await house.close()
