"""The shop's week: 480 customers are reminded of their balance, on a fresh line and on a warm one."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from tests.gateway.house import ISTANBUL, World, batch, numbers, seconds
from tests.gateway.pacing import QUIET, Sent, begin, rules, run

from guvercin.core.message import Status
from guvercin.core.outcome import Inbound

SHOP = 480
DAY = timedelta(days=1)

STARTS = {
    "monday": datetime(2026, 2, 23, 10, tzinfo=ISTANBUL).astimezone(UTC),
    "saturday": datetime(2026, 2, 28, 17, 30, tzinfo=ISTANBUL).astimezone(UTC),
    "the eve of a feast": datetime(2026, 3, 19, 10, tzinfo=ISTANBUL).astimezone(UTC),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("is_fresh", [False, True])
async def test_everybody_is_reminded_and_the_forecast_was_right(world: World, start: str, *, is_fresh: bool) -> None:
    world.clock.jump_wall(STARTS[start] - world.clock.now())
    sent = Sent(world)
    house = await begin(world, rules(warms_up=is_fresh))
    began = house.clock.now()
    ask = batch(*numbers(SHOP), category=QUIET, is_of_customers=True)
    foretold = await house.gateway.rehearse(house.everything, ask)
    view = await house.gateway.send_batch(house.everything, ask, wait=seconds(0))
    assert foretold.finish_at is not None
    for day in range(40):
        if len(sent.sends) >= SHOP:
            break
        await run(house, DAY / 4)
        # Somebody answers every day: a line warms up by traffic both ways.
        answer = Inbound(remote_id=f"G-{day}", sender="+905329999999", text="Sağ olun", at=house.clock.now())
        await house.store.receive_inbound(1, answer, now=house.clock.now())
        await run(house, DAY * 3 / 4)
    statuses = Counter(row.status for row in await house.messages())
    assert statuses == {Status.SENT: SHOP}, "nothing expires for want of an hour in which it may go"
    took, expected = sent.sends[-1][0] - began, foretold.finish_at - began
    assert abs(took - expected) <= took / 10, (took, expected)
    assert view.finish_at is not None
    assert abs(view.finish_at - foretold.finish_at) <= took / 10
    await house.close()
