"""Traces follow the events, wait for a collector that is away, and hold nobody up."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest
from tests.gateway.house import House, World

from guvercin.core.call import Called, CallTrouble
from guvercin.gateway.traces import SPAN, Traces

GOOD, BAD = Called(trouble=None, status=200), Called(trouble=CallTrouble.NO_CONNECTION)


class Collector:
    """Takes spans, or doesn't."""

    def __init__(self) -> None:
        self.answer = GOOD
        self.names: list[str] = []
        self.headers: Mapping[str, str] = {}
        self.bodies = b""
        self.is_closed = False

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Called:
        assert url == "http://127.0.0.1:4318/v1/traces"
        if self.answer is GOOD:
            written: Any = orjson.loads(body)
            self.names += [span["name"] for span in written["resourceSpans"][0]["scopeSpans"][0]["spans"]]
            self.headers, self.bodies = headers, self.bodies + body
        return self.answer

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture
async def house(world: World) -> House:
    return await world.begin()


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def traces(house: House, collector: Collector) -> Traces:
    url = "http://127.0.0.1:4318/v1/traces"
    return Traces(store=house.store, url=url, token="gizli", open_way=lambda: collector)


async def cancelled(house: House) -> None:
    number = await house.accept()
    await house.store.cancel(number, now=house.clock.now())


async def test_what_happens_from_now_on_is_told_once(house: House, traces: Traces, collector: Collector) -> None:
    await cancelled(house)
    now = house.clock.now()
    assert await traces.step(now) > now
    assert collector.names == [], "what was before is not"
    await cancelled(house)
    for _ in range(2):
        await traces.step(now)
    assert collector.names == ["message"]
    assert collector.headers["authorization"] == "Bearer gizli"
    await traces.close()
    assert collector.is_closed


async def test_a_collector_that_is_away_gets_it_later(house: House, traces: Traces, collector: Collector) -> None:
    now = house.clock.now()
    await traces.step(now)
    await cancelled(house)
    collector.answer = BAD
    assert await traces.step(now) >= now + timedelta(seconds=30)
    collector.answer = GOOD
    await traces.step(now)
    assert collector.names == ["message"]


async def test_a_collector_that_stays_away_is_waited_for_within_bounds(
    house: House, traces: Traces, collector: Collector
) -> None:
    now = house.clock.now()
    await traces.step(now)
    collector.answer = BAD
    await cancelled(house)
    traces._cursor = -SPAN  # as if that much had happened meanwhile
    await traces.step(now)
    assert traces._cursor == await house.store.last_event_id()


async def test_no_number_and_no_text_goes_there(house: House, traces: Traces, collector: Collector) -> None:
    await traces.step(house.clock.now())
    await cancelled(house)
    await traces.step(house.clock.now())
    assert collector.bodies
    assert b"+90" not in collector.bodies
    assert b"Merhaba" not in collector.bodies
