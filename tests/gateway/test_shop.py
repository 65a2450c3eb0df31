"""The shop's week: 480 customers are reminded of their balance, on a fresh line and on a warm one.

What becomes of it stands in docs/PACING.md: each case holds its own row of the table there.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.gateway.house import ISTANBUL, House, World, batch, numbers, seconds
from tests.gateway.pacing import QUIET, Sent, begin, rules, run

from guvercin.core.errors import Code
from guvercin.core.message import Status
from guvercin.core.outcome import Inbound

SHOP = 480
DAY = timedelta(days=1)
PAGE = Path(__file__).parents[2] / "docs" / "PACING.md"

STARTS = {
    "Monday 10:00": datetime(2026, 2, 23, 10, tzinfo=ISTANBUL).astimezone(UTC),
    "Saturday 17:30": datetime(2026, 2, 28, 17, 30, tzinfo=ISTANBUL).astimezone(UTC),
    "the eve of a feast, 10:00": datetime(2026, 3, 19, 10, tzinfo=ISTANBUL).astimezone(UTC),
}
DUR_AFTER = timedelta(minutes=20)
"""When two people write DUR: one who has had their reminder, and the last of the list, who waits for it."""


async def says(house: House, number: str, text: str, name: str) -> None:
    inbound = Inbound(remote_id=name, sender=number, text=text, at=house.clock.now())
    await house.store.receive_inbound(1, inbound, now=house.clock.now())


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("is_fresh", [False, True])
async def test_everybody_is_reminded_and_the_forecast_was_right(world: World, start: str, *, is_fresh: bool) -> None:
    world.clock.jump_wall(STARTS[start] - world.clock.now())
    sent = Sent(world)
    house = await begin(world, rules(warms_up=is_fresh))
    began = house.clock.now()
    ask = batch(*numbers(SHOP), category=QUIET, is_of_customers=True)
    foretold = await house.gateway.bulk.rehearse(house.everything, ask)
    view = await house.gateway.bulk.send(house.everything, ask, wait=seconds(0))
    assert foretold.finish_at is not None
    await run(house, DUR_AFTER)
    refused_at, refusers = house.clock.now(), (sent.sends[0][1], numbers(SHOP)[-1])
    for place, number in enumerate(refusers):
        await says(house, number, "DUR", f"DUR-{place}")
    for day in range(40):
        if len(sent.sends) >= SHOP - 1:
            break
        await run(house, DAY / 4)
        # Somebody answers every day: a line warms up by traffic both ways.
        await says(house, "+905329999999", "Sağ olun", f"G-{day}")
        await run(house, DAY * 3 / 4)
    rows = await house.messages()
    statuses = Counter(row.status for row in rows)
    expired = sum(row.reason is Code.EXPIRED for row in rows)
    after = sum(at >= refused_at and to in refusers for at, to in sent.sends)
    assert statuses == {Status.SENT: SHOP - 1, Status.FAILED: 1}, "nothing expires for want of an hour"
    assert (expired, after) == (0, 0)
    took, expected = sent.sends[-1][0] - began, foretold.finish_at - began
    assert abs(took - expected) <= took / 10, (took, expected)
    assert view.finish_at is not None
    assert abs(view.finish_at - foretold.finish_at) <= took / 10
    line = "fresh" if is_fresh else "60 days"
    end = sent.sends[-1][0].astimezone(ISTANBUL)
    error = abs(took - expected) / timedelta(minutes=1)
    told = (
        f"| {start} ({STARTS[start]:%d %b}) | {line} | {statuses[Status.SENT]} | {expired} | {after} "
        f"| {end:%a %d %b %H:%M} | {error:.0f} min |"
    )
    assert told in PAGE.read_text("utf-8").splitlines(), told
    await house.close()
